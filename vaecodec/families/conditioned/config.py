"""The sizes of a conditioned-vae, what its objective is told, and how its codec is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vaecodec.bitstream.limits import MAX_LEVEL, MAX_SIDE
from vaecodec.errors import ConfigError
from vaecodec.layers.sizes import MAX_MOMENTS
from vaecodec.recipes.checks import at_least
from vaecodec.recipes.config import FinishConfig
from vaecodec.recipes.objective_config import ObjectiveConfig, beta_is_one, rounds_its_latents

CONDITIONED_FAMILY = "conditioned-vae"
CHANNELS = (1, 3)


@dataclass(frozen=True, slots=True)
class ConditionedConfig:
    """Sizes. latents: n; units: width of the residual stream; hidden: width inside a block; blocks: on each side.

    deep_latents: so many, the coarsest, enter the residual stream, the others go straight alone; 0: all enter.
    encoder_units, encoder_blocks: the analysis may be larger, decoding does not pay for it. levels: of the grid from
    beta_high to beta_low, or one alone where these are equal. knots: free points of what depends on the level.
    balance: the power of β that a level's objective is weighed by. coarse_latents: 0, or how many latents there are
    down to the β opens_at; from there on others join, geometrically, until at beta_low there are all.

    half_planes: 0, or how many draw the image (families.conditioned.drawn), by a network of `units` and `blocks`
    and a map of map_channels; then there is no straight path, all latents enter, and `hidden` means nothing. moments:
    the highest order of the central moments that the analysis sees beside the pixels, 0 for none. normalised: the
    analysis normalises its residual stream (vaecodec.layers.residual).

    channels: 1 is grey, 3 are red, green and blue. tile: 0, or the side of the square tiles that an image is cut into,
    each of which the network codes by itself; all other sizes are then of one tile. Raises ConfigError.
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
    channels: int = 1
    tile: int = 0

    def __post_init__(self) -> None:
        sizes = (self.latents, self.units, self.hidden, self.blocks, self.encoder_units, self.encoder_blocks)
        if min(sizes) < 1 or not (1 <= self.height <= MAX_SIDE and 1 <= self.width <= MAX_SIDE):
            raise ConfigError(f"conditioned-vae: every size must be positive, sides at most {MAX_SIDE}")
        self._check_image()
        if not 1 <= self.deep <= self.latents <= self.values:
            raise ConfigError(
                f"deep_latents {self.deep_latents}, latents {self.latents}: expected deep_latents ≤ latents ≤ "
                f"{self.values} pixels"
            )
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
        if not (0 <= self.coarse_latents <= self.latents and self.opens_at > 0):
            raise ConfigError(
                f"coarse_latents {self.coarse_latents}, opens_at {self.opens_at}: expected at most {self.latents}, > 0"
            )
        self._check_drawing()

    def _check_image(self) -> None:
        if self.channels not in CHANNELS:
            raise ConfigError(f"channels: expected 1 (grey) or 3 (red, green, blue), found {self.channels}")
        if self.tile < 0 or (self.tile and (self.height % self.tile or self.width % self.tile)):
            raise ConfigError(f"tile: {self.tile} does not divide both sides of {self.height}x{self.width}")
        if (self.half_planes or self.moments) and (self.channels != 1 or self.tiles != 1):
            raise ConfigError("conditioned-vae: half_planes and moments are of grey images in one piece")

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
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return (self.height // self.tile, self.width // self.tile) if self.tile else (1, 1)

    @property
    def tiles(self) -> int:
        """How many tiles an image has."""
        return self.grid[0] * self.grid[1]

    @property
    def tile_shape(self) -> tuple[int, ...]:
        """Of a tile's pixels: (h, w), or in colour (h, w, 3)."""
        size = (self.tile, self.tile) if self.tile else (self.height, self.width)
        return size if self.channels == 1 else (*size, self.channels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image's pixels, as tile_shape."""
        size = self.height, self.width
        return size if self.channels == 1 else (*size, self.channels)

    @property
    def values(self) -> int:
        """Numbers that the pixels of a tile are: channels times pixels."""
        return math.prod(self.tile_shape)


@dataclass(frozen=True, slots=True)
class ConditionedObjective(ObjectiveConfig):
    """rate + distortion / β(level), weighed by the level: β is in the model, so that `beta` must be 1."""

    rate: str = "uniform-noise"

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        rounds_its_latents(self, CONDITIONED_FAMILY)
        beta_is_one(self, CONDITIONED_FAMILY)


@dataclass(frozen=True, slots=True)
class ConditionedFinish(FinishConfig):
    """default_file_bytes: the default level is the one whose mean file is nearest to it.

    prune_share: hidden units of the synthesis are cut, up to this share of the energy that a block's units add to the
    stream. counted_images: so many of the training set, each analysed at every level, make the tables. Raises
    ConfigError.
    """

    default_file_bytes: float = 28.0
    prune_share: float = 0.0
    counted_images: int = 60_000

    def __post_init__(self) -> None:
        FinishConfig.__post_init__(self)
        at_least("default_file_bytes", self.default_file_bytes, 0)
        at_least("counted_images", self.counted_images, 1)
        if not 0 <= self.prune_share < 1:
            raise ConfigError(f"prune_share: expected a share in 0..1, below 1, found {self.prune_share!r}")
