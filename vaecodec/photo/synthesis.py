"""The integer-exact synthesis: what is told of the latents to pixels, the same on every machine, whole or in stripes.

ŷ in 16ths of a step (h, w, 192) --gains of the level--> trunk at /16 ──> /8 ──> /4 --shuffle--> picture (16 h, 16 w, 3)
detail in 16ths of a step (h, w, 640) --KLT^T, step of the level--> what is added;  sum / 64, clamp --> uint8
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels
from vaecodec.photo.convolution import TRUNK, Band, ExactConvolution, Float32, Float64, Int32, rescale
from vaecodec.photo.regions import BLOCK, DETAIL_BLOCK

Told = npt.NDArray[np.int16]  # (h, w, c): latents as a decoder knows them, in 16ths of a step
PIXEL_BITS = 6  # of a grey level, in pictures before rounding
GAIN_BITS, STEP_BITS = 16, 10  # of the inverse gains, of the steps
BASIS_BITS = 12
LATENT_LIMIT = (1 << 20) - 1
PICTURE_LIMIT = TRUNK  # 512 grey levels, of what either layer gives
SCALES = (2, 4)  # positions a side of the finer stages in one of the latents


@dataclass(frozen=True, slots=True)
class ExactBranch:
    """x + the last of some convolutions of x, clamped."""

    convolutions: tuple[ExactConvolution, ...]

    def __call__(self, band: Band) -> Band:
        """The same map, on fewer rows where the band ends within the picture."""
        hidden = band
        for convolution in self.convolutions:
            hidden = convolution(hidden)
        return band.plus(hidden)

    @property
    def radius(self) -> int:
        """Positions on either side that a result depends on."""
        return sum(len(convolution.weights) // 2 for convolution in self.convolutions)


@dataclass(frozen=True, slots=True)
class ExactStage:
    """What is added at a level (levels, c), residual branches, and the convolution that leaves the stage."""

    level_bias: Int32
    branches: tuple[ExactBranch, ...]
    leave: ExactConvolution

    def __call__(self, band: Band, level: int) -> Band:
        """What enters (r, w, c) to the result of `leave`."""
        return self.leave(self.trunk(band, level))

    def trunk(self, band: Band, level: int) -> Band:
        """What enters, with what is added at the level, through the branches."""
        added = band.values + self.level_bias[level].astype(np.float32)
        band = Band(np.clip(added, -TRUNK, TRUNK, out=added), band.first, band.height)
        for branch in self.branches:
            band = branch(band)
        return band

    @property
    def radius(self) -> int:
        """Positions on either side that a result depends on."""
        return sum(branch.radius for branch in self.branches) + len(self.leave.weights) // 2


@dataclass(frozen=True)
class ExactSynthesis:
    """inverse_gain (levels, c), step (levels,): integers, 2^16 of a latent's unit and 2^10 of a 64th of a grey level.

    basis int32 (components, 192), 2^12 of 1. Levels are rows of these tables.
    """

    inverse_gain: Int32
    enter: ExactConvolution
    stages: tuple[ExactStage, ExactStage, ExactStage]
    basis: Int32
    step: Int32

    @cached_property
    def halo(self) -> int:
        """Rows of latents on either side that a row of pixels depends on."""
        return len(self.enter.weights) // 2 + self.stages[0].radius + self.halo_of_trunk

    @cached_property
    def halo_of_trunk(self) -> int:
        """Rows of the trunk at /16 on either side that a row of pixels depends on."""
        first, *finer = self.stages
        of_leave = len(first.leave.weights) // 2
        return of_leave + sum(-(-stage.radius // scale) for stage, scale in zip(finer, SCALES, strict=True))

    def picture(
        self, told: Told, level: int, first: int = 0, last: int | None = None, trunk: Float32 | None = None
    ) -> Float32:
        """What the base latents give, grey levels times 64 (rows, 16 w, 3). told (h, w, c): ŷ in 16ths of a step.

        first, last: rows of latents that are wanted, all by default; the band around them is read. trunk: what `trunk`
        gives for these latents, where it is known.
        """
        height = len(told)
        last = height if last is None else last
        if trunk is None:
            begin, end = max(0, first - self.halo), min(height, last + self.halo)
            band = self.stages[0].trunk(self._entered(told, level, begin, end), level)
        else:
            begin, end = max(0, first - self.halo_of_trunk), min(height, last + self.halo_of_trunk)
            band = Band(trunk[begin:end], begin, height)
        band = self.stages[0].leave(band).shuffled(2)
        band = self.stages[1](band, level).shuffled(2)
        band = self.stages[2](band, level).shuffled(4)
        values = band.within(first * BLOCK, last * BLOCK).values
        return np.asarray(np.clip(values, -PICTURE_LIMIT, PICTURE_LIMIT, out=values))

    def trunk(self, told: Told, level: int) -> Float32:
        """The trunk at /16 (h, w, 256), which the detail's distributions are made from."""
        return self.stages[0].trunk(self._entered(told, level, 0, len(told)), level).values

    def _entered(self, told: Told, level: int, begin: int, end: int) -> Band:
        latents = rescale(told[begin:end].astype(np.float64), self.inverse_gain[level].astype(np.float64), GAIN_BITS)
        clamped = np.clip(latents, -LATENT_LIMIT, LATENT_LIMIT).astype(np.float32)
        return self.enter(Band(clamped, begin, len(told)))

    @cached_property
    def _wide_basis(self) -> Float64:
        return self.basis.astype(np.float64)

    def detail(self, told: Told, level: int) -> Float32:
        """What the detail adds, 64ths of a grey level (16 h, 16 w, 3); told (h, w, 4 components), 16ths of a step."""
        latents = Band(told.astype(np.float32), 0, len(told)).shuffled(BLOCK // DETAIL_BLOCK).values
        added = rescale(latents @ self._wide_basis, np.asarray(self.step[level], np.float64), STEP_BITS + BASIS_BITS)
        clamped = np.clip(added, -PICTURE_LIMIT, PICTURE_LIMIT).astype(np.float32)
        return Band(clamped, 0, len(clamped)).shuffled(DETAIL_BLOCK).values

    def pixels(self, base: Told, detail: Told, level: int) -> Pixels:
        """uint8 (16 h, 16 w, 3), whole."""
        return to_bytes(self.picture(base, level) + self.detail(detail, level))


def to_bytes(picture: Float32) -> Pixels:
    """64ths of a grey level to grey levels, the nearest; halves up."""
    rounded = np.floor(picture * np.float32(2.0**-PIXEL_BITS) + np.float32(0.5))
    return np.asarray(np.clip(rounded, 0, 255), np.uint8)
