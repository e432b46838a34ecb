"""The integer-exact synthesis: what is told of the latents to pixels, the same on every machine, whole or in stripes.

ŷ in 16ths of a step (h, w, 192) --gains of the level--> trunk at /16 ──> /8 ──> /4 --shuffle--> picture (16 h, 16 w, 3)
detail in 16ths of a step (h, w, 640) --KLT^T, step of the level--> what is added;  sum / 64, clamp --> uint8
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from vaecodec.families.photo.config import BLOCK, DETAIL_BLOCK
from vaecodec.families.photo.exact_convert import fraction_bits, integer_convolution
from vaecodec.families.photo.exact_ops import TRUNK, Band, ExactConvolution, Float64, Int32, rescale
from vaecodec.families.photo.layers import Bottleneck
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.transforms import LATENT_UNIT, MIDDLE

PIXEL_BITS = 6  # of a grey level, in pictures before rounding
GAIN_BITS, STEP_BITS = 16, 10  # of the inverse gains, of the steps
BASIS_BITS = 12
HALO = 9  # positions of y: 5 at /16, 4 of /8, 6 of /4
LATENT_LIMIT = (1 << 20) - 1
DETAIL_LIMIT = (1 << 15) - 1  # 2,048 steps: products with basis and step then stay below 2^49


@dataclass(frozen=True, slots=True)
class ExactBranch:
    """x + the last of some convolutions of x."""

    convolutions: tuple[ExactConvolution, ...]

    def __call__(self, band: Band) -> Band:
        """The same map, on fewer rows where the band ends within the picture."""
        hidden = band
        for convolution in self.convolutions:
            hidden = convolution(hidden)
        return band.plus(hidden)


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
        added = np.clip(band.values + self.level_bias[level], -TRUNK, TRUNK)
        band = Band(added, band.first, band.height)
        for branch in self.branches:
            band = branch(band)
        return band


@dataclass(frozen=True, slots=True)
class ExactSynthesis:
    """inverse_gain (levels, c), step (levels,): integers, 2^16 of a latent's unit and 2^10 of a 64th of a grey level.

    basis int32 (components, 192). Levels are rows of these tables.
    """

    inverse_gain: Float64
    enter: ExactConvolution
    stages: tuple[ExactStage, ExactStage, ExactStage]
    basis: Int32
    step: Float64

    def picture(self, told: Int32, level: int, first: int = 0, last: int | None = None) -> Float64:
        """What the base latents give, grey levels times 64 (rows, 16 w, 3). told (h, w, c): ŷ in 16ths of a step.

        first, last: rows of latents that are wanted, all by default; the band around them is read.
        """
        height = len(told)
        last = height if last is None else last
        begin, end = max(0, first - HALO), min(height, last + HALO)
        band = self._entered(told, level, begin, end)
        band = self.stages[0](band, level).shuffled(2)
        band = self.stages[1](band, level).shuffled(2)
        band = self.stages[2](band, level).shuffled(4)
        return band.within(first * BLOCK, last * BLOCK).values

    def features(self, told: Int32, level: int) -> Float64:
        """The trunk at /16 (h, w, 256), which the detail's distributions are made from."""
        return self.stages[0].trunk(self._entered(told, level, 0, len(told)), level).values

    def _entered(self, told: Int32, level: int, begin: int, end: int) -> Band:
        latents = rescale(told[begin:end].astype(np.float64), self.inverse_gain[level], GAIN_BITS)
        return self.enter(Band(np.clip(latents, -LATENT_LIMIT, LATENT_LIMIT), begin, len(told)))

    def detail(self, told: Int32, level: int) -> Float64:
        """What the detail adds, 64ths of a grey level (16 h, 16 w, 3); told (h, w, 4 components), 16ths of a step."""
        told = np.clip(told, -DETAIL_LIMIT, DETAIL_LIMIT)
        latents = Band(told.astype(np.float64), 0, len(told)).shuffled(BLOCK // DETAIL_BLOCK).values
        sums = latents @ self.basis.astype(np.float64)
        added = rescale(sums, self.step[level], STEP_BITS + BASIS_BITS)
        return Band(added, 0, len(added)).shuffled(DETAIL_BLOCK).values

    def pixels(self, base: Int32, detail: Int32, level: int, rows: int = 0) -> npt.NDArray[np.uint8]:
        """uint8 (16 h, 16 w, 3), made in stripes of `rows` latents; 0: whole."""
        height = len(base)
        stripe = rows or height
        made = [
            _to_bytes(
                self.picture(base, level, r, min(height, r + stripe)) + self.detail(detail[r : r + stripe], level)
            )
            for r in range(0, height, stripe)
        ]
        return np.concatenate(made)


def _to_bytes(picture: Float64) -> npt.NDArray[np.uint8]:
    rounded = np.floor(picture * 2.0**-PIXEL_BITS + 0.5)
    return np.asarray(np.clip(rounded, 0, 255), np.uint8)


def convert_synthesis(model: Photo, levels: torch.Tensor, greatest: Mapping[str, float]) -> ExactSynthesis:
    """levels (n,): the real levels that the tables' rows stand for. greatest: of exact_convert.greatest_inputs."""
    synthesis = model.synthesis
    into = fraction_bits(greatest, "synthesis.enter", limit=LATENT_LIMIT)
    trunks = trunk_bits(model, greatest)
    enter = integer_convolution(
        synthesis.enter.weight,
        synthesis.enter.bias,
        fractions=(into, trunks[0]),
        relu=False,
        input_limit=LATENT_LIMIT,
    )
    leaves = (synthesis.enlarge_first.spread, synthesis.enlarge_second.spread, synthesis.leave)
    stages = []
    for number, (blocks, leave) in enumerate(zip(_blocks(model), leaves, strict=True)):
        bias = _table(model.synthesis.levels[number](levels), 2.0 ** trunks[number])
        branches = tuple(_branch(name, block, trunks[number], greatest) for name, block in blocks)
        stages.append(ExactStage(bias.astype(np.int32), branches, _leave(leave, trunks, number)))
    gain = torch.exp(-model.log_gain(levels)) / LATENT_UNIT
    step = 255 * torch.exp(model.log_step(levels)).flatten()
    return ExactSynthesis(
        inverse_gain=_table(gain, 2.0 ** (into + GAIN_BITS - 4)),
        enter=enter,
        stages=(stages[0], stages[1], stages[2]),
        basis=np.rint(model.detail_transform.basis.detach().double().numpy() * 2**BASIS_BITS).astype(np.int32),
        step=np.rint(step.detach().double().numpy() * 2.0 ** (PIXEL_BITS + STEP_BITS - 4)),
    )


def _blocks(model: Photo) -> list[list[tuple[str, torch.nn.Module]]]:
    names = ("first", "second", "third")
    return [
        [(f"synthesis.{name}.{number}", block) for number, block in enumerate(getattr(model.synthesis, name))]
        for name in names
    ]


def trunk_bits(model: Photo, greatest: Mapping[str, float]) -> list[int]:
    """Fraction bits of the three trunks, which must hold what enters every block and what leaves the last."""
    leaves = ("synthesis.enlarge_first.spread", "synthesis.enlarge_second.spread", "synthesis.leave")
    return [
        fraction_bits(greatest, *(f"{name}.enter" for name, _ in blocks), leave)
        for blocks, leave in zip(_blocks(model), leaves, strict=True)
    ]


def _branch(name: str, block: torch.nn.Module, trunk: int, greatest: Mapping[str, float]) -> ExactBranch:
    names = ("enter", "look", "leave") if isinstance(block, Bottleneck) else ("enter", "leave")
    convolutions = [getattr(block, part) for part in names]
    fractions = [trunk, *(fraction_bits(greatest, f"{name}.{part}") for part in names[1:]), trunk]
    return ExactBranch(
        tuple(
            integer_convolution(c.weight, c.bias, fractions=(fractions[k], fractions[k + 1]), relu=k + 1 < len(names))
            for k, c in enumerate(convolutions)
        )
    )


def _leave(convolution: torch.nn.Conv2d, trunks: list[int], number: int) -> ExactConvolution:
    """From one trunk to the next; the last one gives grey levels."""
    assert convolution.bias is not None
    if number + 1 < len(trunks):
        fractions = (trunks[number], trunks[number + 1])
        return integer_convolution(convolution.weight, convolution.bias, fractions=fractions, relu=False)
    weight, bias = 255 * convolution.weight, 255 * (convolution.bias + MIDDLE)
    return integer_convolution(weight, bias, fractions=(trunks[number], PIXEL_BITS), relu=False)


def _table(values: torch.Tensor, scale: float) -> Float64:
    """(levels, c, 1, 1) -> integers (levels, c)."""
    return np.asarray(np.rint(values.detach().double().flatten(1).numpy() * scale))
