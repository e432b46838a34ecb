"""The sizes of a lossless-vae, what its objective is told, and how its codec is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vaecodec.bitstream.limits import MAX_BASES, MAX_SIDE
from vaecodec.errors import ConfigError
from vaecodec.layers.sizes import MAX_MOMENTS
from vaecodec.recipes.config import FinishConfig
from vaecodec.recipes.objective_config import ObjectiveConfig, beta_is_one, rounds_its_latents

LOSSLESS_FAMILY = "lossless-vae"
BIT_DEPTHS = (1, 8)


@dataclass(frozen=True, slots=True)
class LosslessConfig:
    """Sizes. height, width: pixels, both even. latents: n. bit_depth: 8, or 1 where pixels are 0 or 255.

    Analysis: units and blocks of its residual layers; normalised: as vaecodec.layers.residual has it; moments: the
    highest order of the central moments that it sees beside the pixels, 0 for none. Map: map_units, map_blocks, and
    map_channels of its result; half_planes: 0, or how many draw it (vaecodec.layers.half_planes). Phases: width,
    phase_blocks, and the window, in pixels of a phase, in which a network first sees the phases before. bases: K, of
    the values' mixture. Raises ConfigError.
    """

    height: int
    width: int
    latents: int = 48
    bit_depth: int = 8
    units: int = 512
    blocks: int = 3
    moments: int = 0
    normalised: bool = False
    map_units: int = 512
    map_blocks: int = 2
    map_channels: int = 32
    half_planes: int = 0
    phase_width: int = 64
    phase_blocks: int = 2
    window: int = 5
    bases: int = 48

    def __post_init__(self) -> None:
        if not (1 < self.height <= MAX_SIDE and 1 < self.width <= MAX_SIDE) or self.height % 2 or self.width % 2:
            raise ConfigError(f"lossless-vae: {self.height}x{self.width} pixels: both must be even, at most {MAX_SIDE}")
        positive = (self.latents, self.units, self.map_units, self.map_channels, self.phase_width)
        if min(positive) < 1 or min(self.blocks, self.map_blocks, self.half_planes, self.phase_blocks) < 0:
            raise ConfigError("lossless-vae: sizes must be positive, numbers of blocks and half-planes at least 0")
        if self.bit_depth not in BIT_DEPTHS:
            raise ConfigError(f"lossless-vae: bit_depth must be one of {BIT_DEPTHS}, found {self.bit_depth}")
        if self.window < 1 or self.window % 2 == 0:
            raise ConfigError(f"lossless-vae: window must be odd, found {self.window}")
        if self.moments == 1 or not 0 <= self.moments <= MAX_MOMENTS:
            raise ConfigError(f"lossless-vae: moments must be 0 or 2..{MAX_MOMENTS}, found {self.moments}")
        if not 1 <= self.bases <= MAX_BASES:
            raise ConfigError(f"lossless-vae: bases must be 1..{MAX_BASES}, found {self.bases}")

    @property
    def pixels(self) -> int:
        """Pixels of an image."""
        return self.height * self.width

    @property
    def plane(self) -> tuple[int, int]:
        """Height and width of a phase."""
        return self.height // 2, self.width // 2

    @property
    def mixed(self) -> int:
        """Bases in use: none where a pixel that is not zero is 255."""
        return self.bases if self.bit_depth == 8 else 0

    @property
    def outputs(self) -> int:
        """Logits of a pixel: of "zero", and a weight for each basis."""
        return 1 + self.mixed


@dataclass(frozen=True, slots=True)
class LosslessObjective(ObjectiveConfig):
    """rate + nats of the pixels; the likelihood is the family's own, so `likelihood` and `pixel_sigma` mean nothing.

    rounded_share: of the images of a batch, whose pixels are predicted from rounded latents and not from noisy ones.
    drawing_steps: so many steps train what draws before the phases are trained as well; steps cost half as much then.
    """

    rate: str = "uniform-noise"
    rounded_share: float = 0.5
    drawing_steps: int = 0

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        beta_is_one(self, LOSSLESS_FAMILY)
        rounds_its_latents(self, LOSSLESS_FAMILY)
        if not 0 <= self.rounded_share <= 1:
            raise ConfigError(f"rounded_share: expected a number in 0..1, found {self.rounded_share!r}")
        if self.drawing_steps < 0:
            raise ConfigError(f"drawing_steps: expected at least 0, found {self.drawing_steps!r}")


@dataclass(frozen=True, slots=True)
class LosslessFinish(FinishConfig):
    """latent_step: of the latents' quantizer, in those that training rounds to; a smaller one puts more bits into them.

    Raises ConfigError.
    """

    latent_step: float = 1.0

    def __post_init__(self) -> None:
        FinishConfig.__post_init__(self)
        if not (math.isfinite(self.latent_step) and self.latent_step > 0):
            raise ConfigError(f"latent_step: expected a positive number, found {self.latent_step!r}")
