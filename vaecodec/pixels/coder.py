"""Pixel coder: payloads of exact images and back. Encode and decode stand side by side and are driven alike.

    symbols of all images │ phase 0: flags, values │ phase 1: flags, values │ phase 2 … │ phase 3 …
                            of all images: "zero or not" of every pixel, then the values of those that are not zero

A payload holds one image (a stream) or many (a block of an archive). Networks and tables are evaluated for the images
of all payloads at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels
from vaecodec.entropy.coder import SymbolDecoder, SymbolEncoder
from vaecodec.entropy.tables import PRECISION, Float64
from vaecodec.exact.network import Engine
from vaecodec.modelfile.lossless_part import Int32, LosslessPart
from vaecodec.pixels.near_lossless import Bins
from vaecodec.pixels.phases import follow_phases, in_batches, join_phases, predict, split_phases
from vaecodec.pixels.tables import Indices, counts_of_flags, counts_of_values

T = TypeVar("T", SymbolEncoder, SymbolDecoder)

VALUE_ROWS = 1024  # distributions of values that are made at once: 2 MB


@dataclass(frozen=True, slots=True, eq=False)
class SpentBits:
    """Information content of images, in bits (b,): -log2 of what the tables give to what was coded."""

    latents: Float64
    flags: Float64
    values: Float64

    @property
    def total(self) -> Float64:
        """Of each image."""
        return self.latents + self.flags + self.values


@dataclass(frozen=True, slots=True)
class Encoded:
    """The payloads, and what each image's bits were spent on."""

    payloads: list[bytes]
    spent: SpentBits


def encode_payloads(part: LosslessPart, bins: Bins, sizes: Sequence[int], symbols: Int32, images: Pixels) -> Encoded:
    """Payloads of images (b, h, w), already rounded to the bins, with symbols (b, n); sizes[k] images in payload k."""
    encoder, planes = PixelEncoder(part, bins, sizes), split_phases(images)
    encoder.encode_latents(symbols)

    def code(phase: int, indices: Indices) -> Pixels:
        encoder.encode_phase(indices, planes[phase])
        return planes[phase]

    follow_phases(predict(part.likelihood, symbols), code)
    return encoder.finish()


def decode_payloads(
    part: LosslessPart, bins: Bins, sizes: Sequence[int], payloads: Sequence[bytes], engine: Engine = in_batches
) -> tuple[Int32, Pixels]:
    """Symbols (b, n) and images (b, h, w) of payloads of sizes[k] images; every engine gives the same.

    Raises FormatError's children.
    """
    decoder = PixelDecoder(part, bins, sizes, payloads)
    symbols = decoder.decode_latents()

    def code(_: int, indices: Indices) -> Pixels:
        return decoder.decode_phase(indices)

    images = join_phases(follow_phases(predict(part.likelihood, symbols, engine), code))
    decoder.finish()
    return symbols, images


def least_payload_bytes(part: LosslessPart, symbols: Int32, images: Pixels) -> list[int]:
    """Bytes that the payload of each image has at least: what its latents and first phase take.

    The coder's interval only ever shrinks, so the shortest string inside it only ever grows.
    """
    encoder = PixelEncoder(part, Bins(0), [1] * len(symbols))
    encoder.encode_latents(symbols)
    encoder.encode_phase(next(predict(part.likelihood, symbols)), split_phases(images)[0])
    return [len(payload) for payload in encoder.finish().payloads]


def least_value_bits(part: LosslessPart, images: Pixels) -> Float64:
    """Bits that the pixels of each image have at least (b,): those of every value under its best distribution.

    No network is evaluated: a pixel's count is a mean of those of the basis distributions, and so no larger than the
    largest of them. The bits of the latents come on top.
    """
    values = part.likelihood.values
    return np.zeros(len(images)) if values is None else values.least_bits[images].sum(axis=(1, 2))


class PixelEncoder:
    """Encodes images, sizes[k] of them into payload k: the latents of all, then phase by phase."""

    def __init__(self, part: LosslessPart, bins: Bins, sizes: Sequence[int]) -> None:
        self._part, self._bins, self._sizes = part, bins, sizes
        self._encoders = [SymbolEncoder() for _ in sizes]
        none = np.zeros(sum(sizes))
        self._spent = SpentBits(none, none.copy(), none.copy())

    def encode_latents(self, symbols: Int32) -> None:
        """Symbols (b, n), image after image."""
        for encoder, rows in zip(self._encoders, _places(self._sizes), strict=True):
            for row in symbols[rows]:
                encoder.encode(row, self._part.tables)
        self._spent.latents[:] = self._part.tables.information_bits(symbols)

    def encode_phase(self, indices: Indices, pixels: Pixels) -> None:
        """The pixels (b, h/2, w/2) of the next phase."""
        lit = pixels != 0
        flags, counts = lit.ravel().astype(np.int32), counts_of_flags(self._part.likelihood, indices)
        self._encode(flags, counts, [size * pixels[0].size for size in self._sizes], 0)
        self._spent.flags[:] += _bits(counts, flags).reshape(len(pixels), -1).sum(axis=1)
        columns, owners, sizes = self._bins.columns(pixels[lit]), np.nonzero(lit)[0], _lit_sizes(lit, self._sizes)
        for rows, counts in _value_counts(self._part, self._bins, indices[lit]):
            self._encode(columns, counts, sizes, rows.start)
            self._spent.values[:] += np.bincount(owners[rows], _bits(counts, columns[rows]), len(pixels))

    def _encode(self, columns: Int32, counts: Float64, sizes: Sequence[int], start: int) -> None:
        """Encode columns start … start + len(counts), of which counts are; sizes[k] of all columns in payload k."""
        for encoder, rows in _overlaps(self._encoders, sizes, start, len(counts)):
            encoder.encode_columns(columns[rows], counts[rows.start - start : rows.stop - start])

    def finish(self) -> Encoded:
        """The payloads of what was encoded."""
        return Encoded([encoder.finish() for encoder in self._encoders], self._spent)


class PixelDecoder:
    """The inverse of PixelEncoder. Every method raises FormatError's children."""

    def __init__(self, part: LosslessPart, bins: Bins, sizes: Sequence[int], payloads: Sequence[bytes]) -> None:
        self._part, self._bins, self._sizes = part, bins, sizes
        self._decoders = [SymbolDecoder(payload) for payload in payloads]

    def decode_latents(self) -> Int32:
        """Symbols (b, n), image after image."""
        symbols = np.empty((sum(self._sizes), self._part.tables.n), np.int32)
        for decoder, rows in zip(self._decoders, _places(self._sizes), strict=True):
            for k in range(rows.start, rows.stop):
                symbols[k] = decoder.decode(self._part.tables)
        return symbols

    def decode_phase(self, indices: Indices) -> Pixels:
        """The pixels (b, h/2, w/2) of the next phase."""
        pixels = np.zeros(indices.shape[:3], np.uint8)
        flags, counts = np.empty(pixels.size, np.int32), counts_of_flags(self._part.likelihood, indices)
        self._decode(flags, counts, [size * pixels[0].size for size in self._sizes], 0)
        lit = flags.reshape(pixels.shape) != 0
        columns, sizes = np.zeros(np.count_nonzero(lit), np.int32), _lit_sizes(lit, self._sizes)
        for rows, counts in _value_counts(self._part, self._bins, indices[lit]):
            self._decode(columns, counts, sizes, rows.start)
        pixels[lit] = self._bins.values(columns) if self._part.likelihood.values is not None else 255
        return pixels

    def _decode(self, columns: Int32, counts: Float64, sizes: Sequence[int], start: int) -> None:
        """Fill in columns start … start + len(counts), of which counts are; sizes[k] of all columns in payload k."""
        for decoder, rows in _overlaps(self._decoders, sizes, start, len(counts)):
            columns[rows] = decoder.decode_columns(counts[rows.start - start : rows.stop - start])

    def finish(self) -> None:
        """Check that encoders write these very payloads."""
        for decoder in self._decoders:
            decoder.finish()


def _value_counts(part: LosslessPart, bins: Bins, indices: Indices) -> Iterator[tuple[slice, Float64]]:
    """Some rows at a time of indices (r, 1 + K): which, and the counts (rows, bins) of their values."""
    if part.likelihood.values is None or bins.count == 1:  # there is one value only
        return
    for start in range(0, len(indices), VALUE_ROWS):
        rows = slice(start, min(start + VALUE_ROWS, len(indices)))
        yield rows, bins.merged(counts_of_values(part.likelihood.values, indices[rows]))


def _bits(counts: Float64, columns: Int32) -> Float64:
    return np.asarray(PRECISION - np.log2(counts[np.arange(len(columns)), columns]), np.float64)


def _lit_sizes(lit: npt.NDArray[np.bool_], sizes: Sequence[int]) -> list[int]:
    """How many of the pixels (b, h/2, w/2) that are not zero each payload has."""
    return [int(np.count_nonzero(lit[rows])) for rows in _places(sizes)]


def _places(sizes: Sequence[int]) -> list[slice]:
    """Where the rows of each payload stand."""
    ends = np.cumsum(np.asarray(sizes, np.int64), dtype=np.int64).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def _overlaps(coders: Sequence[T], sizes: Sequence[int], start: int, count: int) -> Iterator[tuple[T, slice]]:
    """Each coder that has some of the rows start … start + count, and which."""
    for coder, rows in zip(coders, _places(sizes), strict=True):
        low, high = max(rows.start, start), min(rows.stop, start + count)
        if low < high:
            yield coder, slice(low, high)
