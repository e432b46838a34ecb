"""The sizes of networks, refused at once where they do not fit together; which family takes which record.

ModelConfig: convolutional, most families.      HFVAEConfig: the same, with a category and groups, hfvae.
ConditionedConfig: the conditioned-vae.          LosslessConfig, NVAEConfig: lossless-vae and nvae, in their own files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vaecodec.bitstream.limits import MAX_LEVEL, MAX_SIDE
from vaecodec.errors import ConfigError
from vaecodec.families.lossless.config import LOSSLESS_FAMILY, MAX_MOMENTS, LosslessConfig
from vaecodec.families.nvae.config import NVAE_FAMILY, NVAEConfig

MAX_LATENTS = 1024
MAX_CATEGORIES = 256
MAX_JOINT = 3  # latents in a jointly coded group: a table has 4,096 columns at most, so 15 values for each of three


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Geometry and sizes.

    height, width: pixels; both are multiples of patch · 2^len(channels). latents: how many. channels: width of each
    stride-2 convolution, first to last. hidden: width of the fully connected layer. patch: space-to-depth factor in
    front of the first convolution. Raises ConfigError.
    """

    height: int
    width: int
    latents: int = 32
    channels: tuple[int, ...] = (32, 64)
    hidden: int = 256
    patch: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.latents <= MAX_LATENTS:
            raise ConfigError(f"latents: expected 1..{MAX_LATENTS}, found {self.latents}")
        if not self.channels or min(*self.channels, self.hidden, self.patch) < 1:
            raise ConfigError(
                f"channels {self.channels}, hidden {self.hidden}, patch {self.patch}: all must be positive"
            )
        if not (1 <= self.height <= MAX_SIDE and 1 <= self.width <= MAX_SIDE):
            raise ConfigError(f"{self.height}x{self.width} pixels: both must be in 1..{MAX_SIDE}")
        if self.height % self.reduction or self.width % self.reduction:
            raise ConfigError(
                f"{self.height}x{self.width} pixels: both must be multiples of {self.reduction}, patch · 2^convolutions"
            )

    @property
    def reduction(self) -> int:
        """How many pixels, in each direction, become one position of the last feature map."""
        return self.patch << len(self.channels)

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of the last feature map."""
        return self.channels[-1], self.height // self.reduction, self.width // self.reduction


@dataclass(frozen=True, slots=True)
class HFVAEConfig(ModelConfig):
    """One category beside groups of continuous latents.

    categories: of the one discrete latent. groups: sizes of the continuous groups, which add up to `latents`; empty
    means one group. joint: code each group with one table over its cells, not with a table for each latent. Raises
    ConfigError.
    """

    categories: int = 10
    groups: tuple[int, ...] = ()
    joint: bool = False

    def __post_init__(self) -> None:
        ModelConfig.__post_init__(self)
        if not 2 <= self.categories <= MAX_CATEGORIES:
            raise ConfigError(f"categories: expected 2..{MAX_CATEGORIES}, found {self.categories}")
        if min(self.group_sizes) < 1 or sum(self.group_sizes) != self.latents:
            raise ConfigError(f"groups {self.groups}: expected positive sizes that add up to {self.latents} latents")
        if self.joint and max(self.group_sizes) > MAX_JOINT:
            raise ConfigError(f"groups {self.groups}: a joint table takes groups of at most {MAX_JOINT} latents")

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Sizes of the continuous groups."""
        return self.groups or (self.latents,)

    def plain(self, latents: int) -> ModelConfig:
        """The sizes of a plain convolutional network with so many latents."""
        return ModelConfig(self.height, self.width, latents, self.channels, self.hidden, self.patch)


@dataclass(frozen=True, slots=True)
class ConditionedConfig:
    """Sizes. latents: n; units: width of the residual stream; hidden: width inside a block; blocks: on each side.

    deep_latents: so many, the coarsest, enter the residual stream, the others go straight alone; 0: all enter.
    encoder_units, encoder_blocks: the analysis may be larger, decoding does not pay for it. shared_blocks: of those of
    the analysis so many, the first, are the same at all levels. levels: of the grid from
    beta_high to beta_low, or one alone where these are equal; knots: free points of what depends on the level. balance:
    the power of β that a level's objective is weighed by. coarse_latents: 0, or how many latents there are down to the
    β opens_at; from there on others join, geometrically, until at beta_low there are all. own_latents: so many, the
    first, are of the levels down to the β own_until alone, which have no others; coarse_latents are beside them.

    half_planes: 0, or how many draw the image (families.conditioned.drawn), by a network of `units` and `blocks`
    and a map of map_channels; then there is no straight path, all latents enter, and `hidden` means nothing. moments:
    the highest order of the central moments that the analysis sees beside the pixels, 0 for none. normalised: the
    analysis normalises its residual stream (vaecodec.layers.residual). Raises ConfigError.
    """

    height: int
    width: int
    latents: int = 512
    deep_latents: int = 0
    units: int = 512
    hidden: int = 512
    blocks: int = 2
    encoder_units: int = 512
    encoder_blocks: int = 3
    levels: int = 64
    knots: int = 9
    beta_high: float = 24.0
    beta_low: float = 0.018
    balance: float = 0.25
    coarse_latents: int = 0
    opens_at: float = 1.0
    half_planes: int = 0
    map_channels: int = 24
    moments: int = 0
    normalised: bool = False
    shared_blocks: int = 0
    own_latents: int = 0
    own_until: float = 8.0

    def __post_init__(self) -> None:
        sizes = (self.latents, self.units, self.hidden, self.blocks, self.encoder_units, self.encoder_blocks)
        if min(sizes) < 1 or not (1 <= self.height <= MAX_SIDE and 1 <= self.width <= MAX_SIDE):
            raise ConfigError(f"conditioned-vae: every size must be positive, sides at most {MAX_SIDE}")
        if not 0 <= self.own_latents < self.latents:
            raise ConfigError(f"own_latents: expected 0..{self.latents - 1} latents, found {self.own_latents}")
        if not 1 <= self.deep <= self.latents <= self.pixels + self.own_latents:
            raise ConfigError(
                f"deep_latents {self.deep_latents}, latents {self.latents}: expected deep_latents ≤ latents ≤ "
                f"{self.pixels} pixels"
            )
        if not 0 <= self.shared_blocks <= self.encoder_blocks:
            raise ConfigError(f"shared_blocks: expected 0..{self.encoder_blocks} blocks, found {self.shared_blocks}")
        if not -1 <= self.balance <= 1:
            raise ConfigError(f"balance: expected a power in -1..1, found {self.balance}")
        if not (1 if self.levels == 1 else 2) <= self.knots <= self.levels <= MAX_LEVEL + 1:
            raise ConfigError(
                f"levels {self.levels}, knots {self.knots}: expected 2 ≤ knots ≤ levels ≤ {MAX_LEVEL + 1}, or 1 and 1"
            )
        if not (math.isfinite(self.beta_high) and self.beta_high >= self.beta_low > 0):
            raise ConfigError(f"beta_high {self.beta_high}, beta_low {self.beta_low}: expected high ≥ low > 0")
        if (self.levels == 1) != (self.beta_high == self.beta_low):
            raise ConfigError(
                f"beta_high {self.beta_high}, beta_low {self.beta_low}: expected one β for 1 level alone, there are "
                f"{self.levels}"
            )
        if not (0 <= self.coarse_latents <= self.latents - self.own_latents and self.opens_at > 0):
            raise ConfigError(
                f"coarse_latents {self.coarse_latents}, opens_at {self.opens_at}: expected at most "
                f"{self.latents - self.own_latents}, > 0"
            )
        self._check_drawing()

    def _check_drawing(self) -> None:
        if self.half_planes < 0 or self.map_channels < 1:
            raise ConfigError(
                f"half_planes {self.half_planes}, map_channels {self.map_channels}: expected at least 0 and 1"
            )
        if self.half_planes and (self.height % 2 or self.width % 2):
            raise ConfigError(f"half_planes: they draw images of even sides, not {self.height}x{self.width}")
        if self.half_planes and self.deep_latents:
            raise ConfigError(f"half_planes: all latents draw, so that deep_latents must be 0, not {self.deep_latents}")
        if self.moments == 1 or not 0 <= self.moments <= MAX_MOMENTS:
            raise ConfigError(f"conditioned-vae: moments must be 0 or 2..{MAX_MOMENTS}, found {self.moments}")

    @property
    def deep(self) -> int:
        """Latents that enter the residual stream."""
        return self.deep_latents or self.latents

    @property
    def pixels(self) -> int:
        """Pixels of an image."""
        return self.height * self.width


Sizes = ModelConfig | ConditionedConfig | LosslessConfig | NVAEConfig
CONDITIONED_FAMILY = "conditioned-vae"
HFVAE_FAMILY = "hfvae"
SIZES: dict[str, type[Sizes]] = {
    CONDITIONED_FAMILY: ConditionedConfig,
    HFVAE_FAMILY: HFVAEConfig,
    LOSSLESS_FAMILY: LosslessConfig,
    NVAE_FAMILY: NVAEConfig,
}


def sizes_of(family: str) -> type[Sizes]:
    """The record that a family's sizes are written in."""
    return SIZES.get(family, ModelConfig)
