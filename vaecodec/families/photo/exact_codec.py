"""Latents to a payload and back, by integers alone: what a stream of a photograph holds.

    encode: z, y, what gives the residual of a picture --decode order, integer tables--> payload
    decode: payload, level, size --the same order, the same tables--> what is told of both latents --> pixels

The encoder's own choices (analysis, rounding, cheapest symbols) are floats and no part of the format.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.coder import SymbolDecoder, SymbolEncoder
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.families.photo.exact_heads import (
    TABLE_STEP,
    TABLES,
    TOLD_BITS,
    ExactBaseHeads,
    ExactDetailHeads,
    ExactHyper,
    colour,
    place,
)
from vaecodec.families.photo.exact_ops import Float64, Int32
from vaecodec.families.photo.exact_synthesis import ExactSynthesis
from vaecodec.families.photo.order import Heads, Part, decode_order, drive
from vaecodec.families.photo.rates import LEAST_SCALE

REACH = 6.5  # a table's symbols, in scales; rarer ones are escapes
ROWS = 4096  # symbols of one table that are coded by one call


@dataclass(frozen=True)
class GaussianTables:
    """counts[k]: uint32 (2 r + 2,) of the symbols -r … r and the escape, of scale 0.11 · e^(0.1 k)."""

    counts: tuple[npt.NDArray[np.uint32], ...]

    @classmethod
    def make(cls) -> GaussianTables:
        """Computed once, when a model file is made; a decoder only ever reads them."""
        return cls(tuple(_gaussian_counts(LEAST_SCALE * math.exp(TABLE_STEP * k)) for k in range(TABLES)))

    def rows(self, number: int, count: int) -> CodingTables:
        """The tables of `count` symbols that share a scale."""
        row = self.counts[number]
        offsets = np.full(count, 1 - len(row) // 2, np.int32)
        return CodingTables(offsets, np.tile(row, (count, 1)), np.ones(count, np.bool_))

    @cached_property
    def bits(self) -> Float64:
        """Of symbols 0, 1, 2 … (columns) under each table (rows); what lies beyond a table costs ever more."""
        width = len(self.counts[-1]) // 2
        bits = np.full((TABLES, width), 24.0) + 2 * np.arange(width)
        for number, row in enumerate(self.counts):
            half = row[len(row) // 2 - 1 : -1].astype(np.float64)
            bits[number, : len(half)] = 24 - np.log2(half)
        return np.asarray(bits)


@dataclass(frozen=True)
class ExactPhoto:
    """All that decoding needs. z_tables: a row a channel of z. silent: levels below it tell nothing of the detail."""

    synthesis: ExactSynthesis
    hyper: ExactHyper
    base_heads: ExactBaseHeads
    detail_heads: ExactDetailHeads
    z_tables: CodingTables
    gaussians: GaussianTables
    silent: int

    def encode(self, z: Int32, y: Float64, residual: Callable[[Int32], Float64], level: int, weight: float) -> Written:
        """z (h_z, w_z, c_z) symbols; y (h, w, c) times its gains; residual: ŷ in 16ths -> detail (h, w, c) in steps.

        weight: bits that a squared error of a step of the detail is worth (rates.cheapest_symbols).
        """
        encoder = SymbolEncoder()
        for row in z.reshape(-1, z.shape[2]):
            encoder.encode(np.ascontiguousarray(row), self.z_tables)
        facts = self.hyper.facts(z, level, (y.shape[0], y.shape[1]))
        base = self._tell(self._base(facts, level), self.base_heads.slices, y, partial(self._write, encoder, None))
        if level < self.silent:
            nothing = np.zeros((*base.shape[:2], sum(self.detail_heads.slices)), np.int32)
            return Written(encoder.finish(), base, nothing)
        heads = self._detail(base, facts, level)
        detail = self._tell(heads, self.detail_heads.slices, residual(base), partial(self._write, encoder, weight))
        return Written(encoder.finish(), base, detail)

    def decode(self, payload: bytes, level: int, shape: tuple[int, int]) -> Written:
        """shape: (h, w) of ŷ. Raises FormatError where the payload is none."""
        decoder = SymbolDecoder(payload)
        grid = (-(-shape[0] // 4), -(-shape[1] // 4))
        z = np.stack([decoder.decode(self.z_tables) for _ in range(grid[0] * grid[1])]).reshape(*grid, -1)
        facts = self.hyper.facts(z, level, shape)
        read = partial(self._read, decoder)
        base = self._told(self._base(facts, level), self.base_heads.slices, shape, read)
        detail = np.zeros((*shape, sum(self.detail_heads.slices)), np.int32)
        if level >= self.silent:
            detail = self._told(self._detail(base, facts, level), self.detail_heads.slices, shape, read)
        decoder.finish()
        return Written(payload, base, detail)

    def _base(self, facts: Float64, level: int) -> Heads[Int32]:
        return partial(self.base_heads.part, facts, level)

    def _detail(self, base: Int32, facts: Float64, level: int) -> Heads[Int32]:
        own = self.detail_heads.facts(self.synthesis.features(base, level), facts, level)
        return partial(self.detail_heads.part, own, level)

    def _told(
        self,
        heads: Heads[Int32],
        slices: Sequence[int],
        shape: tuple[int, int],
        answer: Callable[[Part[Int32]], Int32],
    ) -> Int32:
        nothing = [np.zeros((*shape, channels), np.int32) for channels in slices]
        return np.concatenate(drive(decode_order(heads, nothing, partial(place, shape=shape)), answer), 2)

    def _tell(
        self,
        heads: Heads[Int32],
        slices: Sequence[int],
        aim: Float64,
        write: Callable[[Part[Int32], Float64], Int32],
    ) -> Int32:
        shape = (aim.shape[0], aim.shape[1])

        def answer(part: Part[Int32]) -> Int32:
            first = sum(slices[: part.slice])
            return write(part, aim[:, :, first : first + slices[part.slice]][colour(shape, part.parity)])

        return self._told(heads, slices, shape, answer)

    def _write(self, encoder: SymbolEncoder, weight: float | None, part: Part[Int32], aim: Float64) -> Int32:
        v = aim - part.mean / (1 << TOLD_BITS)
        symbols = np.rint(v).astype(np.int32)
        if weight is not None:
            symbols = self._cheapest(v, symbols, part.scale, weight)
        for number in np.unique(part.scale).tolist():
            some = symbols[part.scale == number]
            for first in range(0, len(some), ROWS):
                chunk = some[first : first + ROWS]
                encoder.encode(chunk, self.gaussians.rows(number, len(chunk)))
        return (symbols << TOLD_BITS) + part.mean

    def _read(self, decoder: SymbolDecoder, part: Part[Int32]) -> Int32:
        symbols = np.zeros_like(part.mean)
        for number in np.unique(part.scale).tolist():
            where = part.scale == number
            count = int(where.sum())
            chunks = [min(ROWS, count - first) for first in range(0, count, ROWS)]
            symbols[where] = np.concatenate([decoder.decode(self.gaussians.rows(number, n)) for n in chunks])
        return (symbols << TOLD_BITS) + part.mean

    def _cheapest(self, v: Float64, near: Int32, scale: Int32, weight: float) -> Int32:
        lower = near - np.sign(near)
        last = self.gaussians.bits.shape[1] - 1
        bits = [self.gaussians.bits[scale, np.minimum(np.abs(s), last)] for s in (near, lower)]
        added = (v - lower) ** 2 - (v - near) ** 2
        return np.where(bits[0] - bits[1] > weight * added, lower, near).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Written:
    """A payload and what it tells: base (h, w, c), detail (h, w, c), in 16ths of a step."""

    payload: bytes
    base: Int32
    detail: Int32


def _gaussian_counts(scale: float) -> npt.NDArray[np.uint32]:
    reach = max(1, math.ceil(REACH * scale))
    edges = [math.erf((s - 0.5) / (scale * math.sqrt(2))) for s in range(-reach, reach + 2)]
    inside = np.diff(edges) / 2
    beyond = max(1 - inside.sum(), 1e-9)
    return counts_from_probabilities(np.append(inside, beyond))
