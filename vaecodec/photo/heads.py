"""The integer-exact distributions of all latents: what a decoder computes to know each symbol's table.

    ẑ --> facts (h, w, 192);  trunk of ŷ, facts --> facts of the detail
    facts, what is told --> means and table numbers of half a slice

What is told and means are in 16ths of a step. Tables are numbered 0 … 63. Positions of one colour are rows
of (n, c), in reading order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vaecodec.arrays import Size
from vaecodec.photo.checkerboard import colours
from vaecodec.photo.convolution import TRUNK, Band, ExactConvolution, Float32, Int32, rescale
from vaecodec.photo.gaussians import TABLES
from vaecodec.photo.order import Part
from vaecodec.photo.synthesis import Told

TOLD_BITS = 4  # after the point, of what is told, of means and of table numbers before rounding
TOLD_LIMIT = TRUNK
LOUDEST = 8  # symbols of the detail are clamped to this before networks see them: flat blocks have DC far above
Z_GAIN_BITS = 12
Z_LIMIT = (1 << 12) - 1  # of hyperlatents
ENLARGED = (True, True, False)  # which layers of the hyperlatents' network a shuffle by 2 follows

Numbers = Told  # of tables, one for each symbol


def joined(layers: Sequence[ExactConvolution], rows: Float32, offset: Int32 | None) -> tuple[Told, Numbers]:
    """Rows (n, i) of all that is known -> means (n, c), in 16ths, and table numbers (n, c).

    The last layer gives the means, then the numbers in 16ths, to which offset (c,) is added.
    """
    for layer in layers:
        rows = layer.of_rows(rows)
    mean, number = np.split(np.clip(rows, -TOLD_LIMIT, TOLD_LIMIT, out=rows), 2, axis=1)
    numbers = number.astype(np.int32)
    if offset is not None:
        numbers += offset
    numbers += 1 << TOLD_BITS - 1
    numbers >>= TOLD_BITS
    return mean.astype(np.int16), np.clip(numbers, 0, TABLES - 1, out=numbers).astype(np.int16)


@dataclass(frozen=True, slots=True)
class ExactHyper:
    """ẑ to facts. inverse_gain (levels, c_z): 2^12 of ẑ's unit; three layers, of which two enlarge by 2."""

    inverse_gain: Int32
    layers: tuple[ExactConvolution, ...]
    level_bias: Int32

    def facts(self, z: Int32, level: int, shape: Size) -> Float32:
        """z (h_z, w_z, c_z), shape (h, w) of ŷ -> (h, w, facts)."""
        told = np.clip(z, -Z_LIMIT, Z_LIMIT).astype(np.float64)
        scaled = rescale(told, self.inverse_gain[level].astype(np.float64), Z_GAIN_BITS)
        band = Band(np.clip(scaled, -TRUNK, TRUNK).astype(np.float32), 0, len(z))
        for layer, enlarges in zip(self.layers, ENLARGED, strict=True):
            band = layer(band).shuffled(2) if enlarges else layer(band)
        facts = band.values[: shape[0], : shape[1]] + self.level_bias[level].astype(np.float32)
        return np.asarray(np.clip(facts, -TRUNK, TRUNK, out=facts))


@dataclass(frozen=True)
class ExactBaseSlice:
    """The networks of a slice of y: what slices before say to each half, what the even half says, and both together.

    others: one for each half, none for the first slice. even: to the odd half; join: its inputs are the facts, what
    others say, what the even half says.
    """

    others: tuple[ExactConvolution, ...]
    even: ExactConvolution
    join: tuple[ExactConvolution, ...]

    @cached_property
    def join_without_even(self) -> tuple[ExactConvolution, ...]:
        """The same for the even half, of which nothing is told: less the inputs that would be zeros."""
        first, *rest = self.join
        known = first.weights.shape[2] - self.even.weights.shape[3]
        return first.of_first_inputs(known), *rest


@dataclass(frozen=True, slots=True)
class ExactBaseHeads:
    """Distributions of y."""

    sizes: tuple[int, ...]
    nets: tuple[ExactBaseSlice, ...]

    def part(self, facts: Float32, number: int, parity: int, known: Sequence[Told]) -> Part[Told]:
        """See order.Heads; facts (h, w, c), known (h, w, c) each, in 16ths."""
        nets = self.nets[number]
        colour = colours((facts.shape[0], facts.shape[1]))[parity]
        told = [colour.pick(facts)]
        if number:
            told.append(colour.convolved(nets.others[parity], np.concatenate(known[:number], 2)))
        if parity:
            told.append(colour.convolved(nets.even, known[number]))
        join = nets.join if parity else nets.join_without_even
        return Part(number, parity, *joined(join, np.concatenate(told, 1), None))


@dataclass(frozen=True, slots=True)
class ExactDetailHalf:
    """The networks of half a slice of the detail. near: of all that is told, two layers or none; join: two layers."""

    near: tuple[ExactConvolution, ...]
    join: tuple[ExactConvolution, ...]


@dataclass(frozen=True, slots=True)
class ExactDetailHeads:
    """Distributions of the detail: summary of the trunk of ŷ and the facts, then halves[number][parity].

    level_bias (levels, features) is added to the summary, offset (levels, c) to the table numbers, in 16ths.
    """

    sizes: tuple[int, ...]
    summary: tuple[ExactConvolution, ExactConvolution]
    level_bias: Int32
    offset: Int32
    halves: tuple[tuple[ExactDetailHalf, ExactDetailHalf], ...]

    def facts(self, trunk: Float32, base_facts: Float32, level: int) -> Float32:
        """(h, w, 256) and (h, w, 192) -> (h, w, features)."""
        rows = np.concatenate((trunk, base_facts), 2).reshape(trunk.shape[0] * trunk.shape[1], -1)
        summary = self.summary[1].of_rows(self.summary[0].of_rows(rows))
        summary += self.level_bias[level].astype(np.float32)
        return np.clip(summary, 0, TRUNK, out=summary).reshape(*trunk.shape[:2], -1)

    def part(self, facts: Float32, level: int, number: int, parity: int, known: Sequence[Told]) -> Part[Told]:
        """See order.Heads; facts of `facts`, known (h, w, c) each, in 16ths."""
        half = self.halves[number][parity]
        height, width = facts.shape[:2]
        colour = colours((height, width))[parity]
        told = [colour.pick(facts)]
        if half.near:
            rows = np.concatenate(known, 2).reshape(height * width, -1)
            seen = half.near[0].of_rows(rows).reshape(height, width, -1)
            told.append(colour.convolved(half.near[1], seen))
        begin = sum(self.sizes[:number])
        offset = self.offset[level, begin : begin + self.sizes[number]]
        return Part(number, parity, *joined(half.join, np.concatenate(told, 1), offset))
