"""The sizes of an nvae, what its objective is told, and how its codec is made.

scale 0: a map of sides[0] × sides[0], groups[0] groups of group_channels[0] latents at each position
scale 1: a map of sides[1] × sides[1], …            each side a multiple of the one before, the image's of the last
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from vaecodec.bitstream.limits import MAX_SIDE
from vaecodec.errors import ConfigError
from vaecodec.recipes.checks import at_least
from vaecodec.recipes.config import FinishConfig
from vaecodec.recipes.objective_config import ObjectiveConfig

NVAE_FAMILY = "nvae"
MAX_SCALES, MAX_GROUPS = 3, 7  # what the integer-exact network of so many cells has room for (MAX_OPS)
MAX_LATENTS = 1024
FINEST_SIDES = range(3, 9)  # of the last map where nothing is said: a power of what two cores compute in time


@dataclass(frozen=True, slots=True)
class NVAEConfig:
    """Geometry and sizes; images are square, because squeeze-and-excitation looks at a whole map through one window.

    groups, group_channels, widths: of each scale, the coarsest first: how many groups, latents at each position of
    one, channels of the map. sides: of the maps; empty: 1 and the largest divisor of the image's side in 3..8 (only
    with two scales). head_width: channels of the map before the pixels. prior_units, prior_blocks: of the networks that
    tell the coder each group's prior. Raises ConfigError.
    """

    height: int
    width: int
    sides: tuple[int, ...] = ()
    groups: tuple[int, ...] = (3, 3)
    group_channels: tuple[int, ...] = (8, 1)
    widths: tuple[int, ...] = (128, 48)
    head_width: int = 24
    prior_units: int = 96
    prior_blocks: int = 1

    def __post_init__(self) -> None:
        if self.height != self.width or not 2 <= self.height <= MAX_SIDE:
            raise ConfigError(f"{self.height}x{self.width} pixels: nvae takes square images of at most {MAX_SIDE}")
        sizes = (self.groups, self.group_channels, self.widths)
        if any(len(each) != self.scales for each in sizes) or not 2 <= self.scales <= MAX_SCALES:
            raise ConfigError(
                f"groups {self.groups}, group_channels {self.group_channels}, widths {self.widths}: expected a number "
                f"for each of 2..{MAX_SCALES} scales"
            )
        if min(*self.groups, *self.group_channels, *self.widths, self.head_width, self.prior_units) < 1:
            raise ConfigError("nvae: every size must be positive")
        if self.prior_blocks < 0 or sum(self.groups) > MAX_GROUPS:
            raise ConfigError(f"groups {self.groups}: at most {MAX_GROUPS} together; prior_blocks: at least 0")
        _check_sides(self.map_sides, self.scales, self.height)
        if self.latents > MAX_LATENTS:
            raise ConfigError(f"nvae: {self.latents} latents, at most {MAX_LATENTS}")

    @property
    def scales(self) -> int:
        """How many there are."""
        return len(self.groups)

    @property
    def map_sides(self) -> tuple[int, ...]:
        """Side of each scale's map."""
        if self.sides or self.scales != 2:
            return self.sides
        return (1, max((side for side in FINEST_SIDES if self.height % side == 0), default=self.height))

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Latents of each group, in the order of decoding."""
        each = zip(self.map_sides, self.group_channels, self.groups, strict=True)
        return tuple(side * side * channels for side, channels, groups in each for _ in range(groups))

    @property
    def group_scales(self) -> tuple[int, ...]:
        """The scale of each group."""
        return tuple(scale for scale, groups in enumerate(self.groups) for _ in range(groups))

    @property
    def latents(self) -> int:
        """Of all groups."""
        return sum(self.group_sizes)

    @property
    def pixel_factors(self) -> tuple[int, int]:
        """From the last map to the head's, and from there to the pixels: two factors, the first one prime or 1."""
        whole = self.height // self.map_sides[-1]
        first = next((factor for factor in range(2, whole + 1) if whole % factor == 0), 1)
        return first, whole // first


@dataclass(frozen=True, slots=True)
class NVAEObjective(ObjectiveConfig):
    """distortion + β · Σ β_s · rate of scale s + spectral_weight · Σ spectral norms (Vahdat & Kautz 2020, section 3).

    scale_betas: β_s of each scale, coarsest first; empty: 1 each. The posterior has the width 1 of uniform noise.
    """

    rate: str = "uniform-noise"
    scale_betas: tuple[float, ...] = ()
    spectral_weight: float = 0.03

    def __post_init__(self) -> None:
        ObjectiveConfig.__post_init__(self)
        if self.rate != "uniform-noise":
            raise ConfigError(f"rate: {NVAE_FAMILY} has posteriors of width 1: it must be uniform-noise")
        for beta in self.scale_betas:
            at_least("scale_betas", beta, 0.0)
        at_least("spectral_weight", self.spectral_weight, 0.0)


@dataclass(frozen=True, slots=True)
class NVAEFinish(FinishConfig):
    """prior_steps: in which the networks of the groups' priors are fitted. Raises ConfigError."""

    prior_steps: int = 3000

    def __post_init__(self) -> None:
        FinishConfig.__post_init__(self)
        at_least("prior_steps", self.prior_steps, 0)


def _check_sides(sides: tuple[int, ...], scales: int, pixels: int) -> None:
    grown = (*sides, pixels)
    if len(sides) != scales or min(sides) < 1:
        raise ConfigError(f"sides {sides}: expected a positive number for each of {scales} scales")
    if any(after % before for before, after in itertools.pairwise(grown)) or len(set(sides)) != scales:
        raise ConfigError(
            f"sides {sides} of {pixels} pixels: each must be a multiple of the one before, and the image's of the "
            "last; --resize brings images to a size that can"
        )


def check_scale_betas(sizes: NVAEConfig, objective: NVAEObjective) -> None:
    """Raise ConfigError where there are some, and not one for each scale."""
    if len(objective.scale_betas) not in (0, sizes.scales):
        raise ConfigError(f"scale_betas {objective.scale_betas}: expected one for each of {sizes.scales} scales")
