"""The latents of a region to a payload and back, by integers alone: what a stream of a photograph holds.

    z, y, what the base's picture leaves --decode order, integer tables--> payload
    payload, level, size --the same order, the same tables--> what is told of both latents

The encoder's own choices (analysis, rounding, cheapest symbols) are floats and no part of the format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Size
from vaecodec.bitstream.limits import MAX_FILL_BYTES
from vaecodec.entropy.coder import SymbolDecoder, SymbolEncoder
from vaecodec.entropy.tables import CodingTables
from vaecodec.errors import ImageError, Truncated
from vaecodec.photo.checkerboard import colours
from vaecodec.photo.convolution import Float32, Int32
from vaecodec.photo.gaussians import TABLES, GaussianTables
from vaecodec.photo.heads import (
    TOLD_BITS,
    TOLD_LIMIT,
    ExactBaseHeads,
    ExactDetailHeads,
    ExactHyper,
    Numbers,
)
from vaecodec.photo.order import Heads, Part, decode_order, drive
from vaecodec.photo.regions import hyper_size
from vaecodec.photo.synthesis import ExactSynthesis, Told

Layer = Literal["base", "detail"]
ROWS_AT_ONCE = 1 << 10  # positions whose symbols are chosen at once
SYMBOL_LIMIT = 1 << 12  # what is told is clamped to 2,048 steps; larger symbols mean the same


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

    @property
    def detail_channels(self) -> int:
        """Channels of the detail latents."""
        return sum(self.detail_heads.sizes)

    def heads_of_base(self, facts: Float32) -> Heads[Told]:
        """What knows the distributions of y, given the facts of z."""
        return partial(self.base_heads.part, facts)

    def heads_of_detail(self, trunk: Float32, facts: Float32, level: int) -> Heads[Told]:
        """What knows the distributions of the detail, given the trunk of ŷ and the facts of z."""
        own = self.detail_heads.facts(trunk, facts, level)
        return partial(self.detail_heads.part, own, level)


class RegionEncoder:
    """Tells a region's base, then its detail, then gives the payload.

    Between the two the caller may make the picture that the base gives, of this region and of its neighbours.
    """

    def __init__(self, networks: ExactPhoto, level: int) -> None:
        self._networks, self._level = networks, level
        self._encoder = SymbolEncoder()
        self._facts: npt.NDArray[np.int16] = np.empty(0, np.int16)
        self._base: Told = np.empty(0, np.int16)

    def tell_base(self, z: Int32, y: Float32) -> Told:
        """z (h_z, w_z, c_z): symbols; y (h, w, c): times its gains. Returns ŷ, in 16ths of a step."""
        for row in z.reshape(-1, z.shape[2]):
            self._encoder.encode(np.ascontiguousarray(row), self._networks.z_tables)
        facts = self._networks.hyper.facts(z, self._level, (y.shape[0], y.shape[1]))
        heads = self._networks.heads_of_base(facts)
        self._base = self._tell(heads, self._networks.base_heads.sizes, y, _nearest)
        self._facts = facts.astype(np.int16)
        return self._base

    def tell_detail(self, latents: Float32, weight: float, trunk: Float32 | None = None) -> Told:
        """Latents (h, w, c) of what the base's picture leaves, in steps. Returns what is told, in 16ths of a step.

        weight: bits that a squared error of a step is worth. trunk: of ŷ of this region alone, where it is known.
        """
        if trunk is None:
            trunk = self._networks.synthesis.trunk(self._base, self._level)
        heads = self._networks.heads_of_detail(trunk, self._facts.astype(np.float32), self._level)
        self._facts = self._base = np.empty(0, np.int16)  # needed no more, and other regions need room
        choose = partial(_cheapest, self._networks.gaussians, weight)
        return self._tell(heads, self._networks.detail_heads.sizes, latents, choose)

    def finish(self) -> bytes:
        """The payload. Raises ImageError where it would be one that MAX_FILL_BYTES refuses."""
        payload = self._encoder.finish()
        if self._encoder.number_bytes - len(payload) > MAX_FILL_BYTES:
            raise ImageError(f"picture: cannot be told at level {self._level}; another level can tell it")
        return payload

    def _tell(self, heads: Heads[Told], slices: Sequence[int], aim: Float32, choose: Choice) -> Told:
        shape = (aim.shape[0], aim.shape[1])

        def answer(part: Part[Told]) -> Told:
            first = sum(slices[: part.slice])
            wanted = colours(shape)[part.parity].pick(aim[:, :, first : first + slices[part.slice]])
            symbols = np.empty(wanted.shape, np.int32)
            for begin in range(0, len(wanted), ROWS_AT_ONCE):
                some = slice(begin, begin + ROWS_AT_ONCE)
                v = wanted[some] - part.mean[some] * np.float32(2.0**-TOLD_BITS)
                symbols[some] = np.clip(choose(v, part.scale[some]), -SYMBOL_LIMIT, SYMBOL_LIMIT)
            flat = symbols.ravel()
            for number, places in by_table(part.scale):
                self._encoder.encode_alike(flat[places], self._networks.gaussians.tables[number])
            return _told(symbols, part.mean)

        return _in_order(heads, slices, shape, answer)


class Watch(Protocol):
    """Is told of each group of symbols of a region as it is decoded."""

    def hyper(self, symbols: Int32) -> None:
        """Of z (h_z, w_z, c_z)."""

    def half(self, layer: Layer, part: Part[Told], symbols: Int32) -> None:
        """Of half a slice (n, c)."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedRegion:
    """ŷ and the detail (h, w, c), in 16ths of a step; the trunk of ŷ of this region alone, where it was needed."""

    base: Told
    detail: Told
    trunk: Float32 | None


def decode_region(
    networks: ExactPhoto, payload: bytes, level: int, shape: Size, watch: Watch | None = None
) -> DecodedRegion:
    """shape: (h, w). Raises FormatError's children where the payload is none."""
    decoder = SymbolDecoder(payload)
    grid = hyper_size(shape)
    z = np.stack([_symbols_of_position(decoder, networks) for _ in range(grid[0] * grid[1])]).reshape(*grid, -1)
    if watch is not None:
        watch.hyper(z)

    def answer(layer: Layer, part: Part[Told]) -> Told:
        symbols = np.empty(part.scale.size, np.int32)
        for number, places in by_table(part.scale):
            symbols[places] = decoder.decode_alike(len(places), networks.gaussians.tables[number])
        _check_fill(decoder)
        symbols = symbols.reshape(part.scale.shape)
        if watch is not None:
            watch.half(layer, part, symbols)
        return _told(symbols, part.mean)

    facts = networks.hyper.facts(z, level, shape)
    base = _in_order(networks.heads_of_base(facts), networks.base_heads.sizes, shape, partial(answer, "base"))
    trunk = None
    if level < networks.silent:
        detail = np.zeros((*shape, networks.detail_channels), np.int16)
    else:
        trunk = networks.synthesis.trunk(base, level)
        heads = networks.heads_of_detail(trunk, facts, level)
        detail = _in_order(heads, networks.detail_heads.sizes, shape, partial(answer, "detail"))
    decoder.finish()
    return DecodedRegion(base, detail, trunk)


def _symbols_of_position(decoder: SymbolDecoder, networks: ExactPhoto) -> Int32:
    """z of one position (c_z,)."""
    symbols = decoder.decode(networks.z_tables)
    _check_fill(decoder)
    return symbols


def _check_fill(decoder: SymbolDecoder) -> None:
    """Raises Truncated where a payload ended long ago: any size would find symbols in the zeros after it."""
    if decoder.filled_bytes > MAX_FILL_BYTES:
        raise Truncated(f"payload: ends, and more than {MAX_FILL_BYTES} bytes of its number are still to come")


def _in_order(heads: Heads[Told], slices: Sequence[int], shape: Size, answer: Callable[[Part[Told]], Told]) -> Told:
    nothing = [np.zeros((*shape, channels), np.int16) for channels in slices]

    def place(half: Told, parity: int) -> Told:
        return colours(shape)[parity].place(half)

    return np.concatenate(drive(decode_order(heads, nothing, place), answer), 2)


def by_table(numbers: Numbers) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Each table that some symbols have, by rising number, and where these are, in reading order."""
    flat = numbers.ravel()
    order = np.argsort(flat, kind="stable")
    ends = np.cumsum(np.bincount(flat, minlength=TABLES))
    for number, end in enumerate(ends.tolist()):
        begin = int(ends[number - 1]) if number else 0
        if end > begin:
            yield number, order[begin:end]


def _told(symbols: Int32, mean: Told) -> Told:
    """16 · symbol + mean, clamped."""
    wide = (np.clip(symbols, -SYMBOL_LIMIT, SYMBOL_LIMIT) << TOLD_BITS) + mean
    return np.clip(wide, -TOLD_LIMIT, TOLD_LIMIT).astype(np.int16)


Choice = Callable[[Float32, Numbers], Int32]
"""Symbols (n, c) for latents less their means, in steps, and the numbers of their tables."""


def _nearest(v: Float32, numbers: Numbers) -> Int32:
    del numbers  # the base is rounded: later networks depend on it, whatever it costs
    return np.rint(v).astype(np.int32)


def _cheapest(gaussians: GaussianTables, weight: float, v: Float32, numbers: Numbers) -> Int32:
    """The nearest symbol or the next toward zero, whichever makes bits + weight · error² least."""
    near = np.rint(v).astype(np.int32)
    lower = near - np.sign(near)
    last = gaussians.bits.shape[1] - 1
    bits = [gaussians.bits[numbers, np.minimum(np.abs(s), last)] for s in (near, lower)]
    added = (v - lower) ** 2 - (v - near) ** 2
    return np.where(bits[0] - bits[1] > weight * added, lower, near).astype(np.int32)
