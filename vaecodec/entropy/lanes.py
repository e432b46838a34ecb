"""Lanes: the range coder for many payloads of one group each, side by side; the same bytes as entropy/coder.py.

    symbols (b, n) ──for each latent, all b intervals are narrowed by one step of numpy──> b payloads

A step costs the same few calls for ten payloads as for thousands, so that here a symbol costs 20 to 50 ns where the
coder, payload by payload, takes 100 to 1000. Escapes are rare: whoever has one is left to the coder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.coder import encode_symbols
from vaecodec.entropy.reference import STATE_BITS, WORD_BITS, shortest_string
from vaecodec.entropy.tables import PRECISION, CodingTables, Int32
from vaecodec.errors import BadField

UInt64 = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.intp]

MAX_LANES = 4096  # more would not stay in the cache
_PRECISION, _WORD = np.uint64(PRECISION), np.uint64(WORD_BITS)
_WORD_MASK = np.uint64((1 << WORD_BITS) - 1)
_WHOLE_RANGE = np.uint64((1 << STATE_BITS) - 1)
_STATE_BYTES = STATE_BITS // 8


@dataclass(frozen=True, slots=True)
class _Rows:
    """Of each coded latent's columns: where their intervals start and end, and their counts; uint64 (n, a)."""

    starts: UInt64
    ends: UInt64
    counts: UInt64


def _rows(tables: CodingTables) -> _Rows:
    rows: _Rows | None = tables._backend_cache.get("lanes")
    if rows is None:
        counts = tables.counts[tables.coded].astype(np.uint64)
        ends = counts.cumsum(axis=1)
        rows = tables._backend_cache["lanes"] = _Rows(ends - counts, ends, counts)
    return rows


def encode_lanes(symbols: Int32, tables: CodingTables) -> list[bytes]:
    """The payload of each row of symbols (b, n), as encode_symbols() gives it. Raises BadField as that does."""
    if symbols.ndim != 2 or symbols.shape[1] != tables.n or symbols.dtype != np.int32:
        raise BadField(f"symbols: expected int32 (b, {tables.n}), found {symbols.dtype} {symbols.shape}")
    if not np.array_equal(tables.fill_collapsed(symbols), symbols):
        raise BadField("symbols: a collapsed latent has another symbol than its own")
    payloads: list[bytes] = []
    for first in range(0, len(symbols), MAX_LANES):
        part = symbols[first : first + MAX_LANES]
        columns = (part[:, tables.coded] - tables.coded_offsets).view(np.uint32)
        escaped = (columns >= tables.alphabet - 1).any(axis=1)
        columns[escaped] = 0
        found = _encode(np.ascontiguousarray(columns.T, np.intp), _rows(tables))
        for k in np.flatnonzero(escaped).tolist():
            found[k] = encode_symbols(part[k], tables)
        payloads += found
    return payloads


def decode_lanes(payloads: Sequence[bytes], tables: CodingTables) -> tuple[Int32, npt.NDArray[np.bool_]]:
    """Symbols (b, n) of the payloads, and which of them are sure (b,).

    What is not sure has escapes or is not canonical: decode_symbols() decodes or refuses it.
    """
    symbols = np.repeat(tables.offsets[None], len(payloads), axis=0)
    sure = np.empty(len(payloads), np.bool_)
    rows = np.flatnonzero(tables.coded)
    for first in range(0, len(payloads), MAX_LANES):
        part = slice(first, first + MAX_LANES)
        columns, sure[part] = _decode(payloads[part], _rows(tables))
        sure[part] &= (columns < tables.alphabet - 1).all(axis=0)
        symbols[part, rows] = columns.T.astype(np.int32) + tables.coded_offsets
    return symbols, sure


def _encode(columns: Indices, rows: _Rows) -> list[bytes]:
    """The payloads of columns (n, b), none of them an escape."""
    lanes = columns.shape[1]
    low, range_ = np.zeros(lanes, np.uint64), np.full(lanes, _WHOLE_RANGE)
    position = np.zeros(lanes, np.intp)  # words that have moved out
    moved: list[tuple[Indices, Indices, UInt64]] = []  # (lanes, positions, words)
    carried: list[tuple[Indices, Indices]] = []
    scale, start = np.empty_like(low), np.empty_like(low)
    for starts, counts, column in zip(rows.starts, rows.counts, columns, strict=True):
        np.right_shift(range_, _PRECISION, out=scale)
        np.take(starts, column, out=start, mode="clip")
        start *= scale
        low += start
        over = np.flatnonzero(low < start)
        if len(over):
            carried.append((over, position[over] - 1))
        np.take(counts, column, out=range_, mode="clip")
        range_ *= scale
        small = np.flatnonzero(range_ <= _WORD_MASK)
        if len(small):
            moved.append((small, position[small], low[small] >> _WORD))
            low[small] <<= _WORD
            range_[small] <<= _WORD
            position[small] += 1
    return _endings(_words(moved, carried, lanes, int(position.max(initial=0))), position, low, range_)


def _words(
    moved: list[tuple[Indices, Indices, UInt64]], carried: list[tuple[Indices, Indices]], lanes: int, width: int
) -> npt.NDArray[np.uint8]:
    """The bytes (lanes, 4 width) of the words that have moved out, with the carries that came after them."""
    words = np.zeros((width, lanes), np.uint64)
    for lane, place, word in moved:
        words[place, lane] = word
    for lane, place in carried:  # at most one for each place: intervals lie within one another
        words[place, lane] += np.uint64(1)
    for k in range(width - 1, 0, -1) if carried else ():
        words[k - 1] += words[k] >> _WORD
        words[k] &= _WORD_MASK
    return np.ascontiguousarray(words.T, ">u4").view(np.uint8)


def _endings(moved: npt.NDArray[np.uint8], position: Indices, low: UInt64, range_: UInt64) -> list[bytes]:
    """The shortest strings in the intervals, by the closed form of docs/format.md."""
    lanes = len(low)
    last = low + (range_ - np.uint64(1))
    # Where `low - 1` borrows from the words, or `last` carries into them, the difference lies beyond the last 64 bits.
    far = np.flatnonzero((low == 0) | (last < low))
    below = low - np.uint64(1)
    difference = below ^ last
    shift = sum((difference >= np.uint64(1 << bits)).astype(np.uint64) << np.uint64(3) for bits in range(8, 64, 8))
    end = ((below >> shift) + np.uint64(1)) << shift
    text = np.pad(moved, ((0, 0), (0, _STATE_BYTES)))
    at = 4 * position[:, None] + np.arange(_STATE_BYTES)
    text[np.arange(lanes)[:, None], at] = end.astype(">u8").view(np.uint8).reshape(lanes, _STATE_BYTES)
    lengths = (4 * position + _STATE_BYTES - (shift >> np.uint64(3)).astype(np.intp)).tolist()
    whole, stride = text.tobytes(), text.shape[1]
    payloads = [whole[k * stride : k * stride + lengths[k]] for k in range(lanes)]
    for k in far.tolist():
        before = int.from_bytes(whole[k * stride : k * stride + 4 * int(position[k])], "big")
        total_bits = WORD_BITS * int(position[k]) + STATE_BITS
        payloads[k] = shortest_string(before << STATE_BITS | int(low[k]), int(range_[k]), total_bits)
    return payloads


def _decode(payloads: Sequence[bytes], rows: _Rows) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Columns (n, b) and which payloads are canonical, as far as those without escapes go."""
    latents, lanes = rows.counts.shape[0], len(payloads)
    lengths = np.fromiter(map(len, payloads), np.intp, lanes)
    longest = _STATE_BYTES + 4 * latents  # a column moves at most one word
    fitting = lengths <= longest
    words = _words_of([data if fit else b"" for data, fit in zip(payloads, fitting.tolist(), strict=True)])
    above, range_ = words[:, 0] << _WORD | words[:, 1], np.full(lanes, _WHOLE_RANGE)
    position = np.full(lanes, 2)  # words that have been read
    columns, seen = np.empty((latents, lanes), np.intp), np.zeros(lanes, np.uint64)
    scale, start, quantile = np.empty_like(above), np.empty_like(above), np.empty_like(above)
    last_word, last_column = words.shape[1] - 1, rows.counts.shape[1] - 1
    for k, (starts, ends, counts) in enumerate(zip(rows.starts, rows.ends, rows.counts, strict=True)):
        np.right_shift(range_, _PRECISION, out=scale)
        np.floor_divide(above, scale, out=quantile)
        np.bitwise_or(seen, quantile, out=seen)
        column = columns[k] = np.minimum(np.searchsorted(ends, quantile, side="right"), last_column)
        np.take(starts, column, out=start, mode="clip")
        start *= scale
        above -= start
        np.take(counts, column, out=range_, mode="clip")
        range_ *= scale
        small = np.flatnonzero(range_ <= _WORD_MASK)
        if len(small):
            place = position[small]
            above[small] = above[small] << _WORD | words[small, np.minimum(place, last_word)]
            range_[small] <<= _WORD
            position[small] = place + 1
    inside = seen >> _PRECISION == 0
    last_bytes = np.array([data[-1] if data else 0 for data in payloads], np.uint64)
    return columns, fitting & inside & _canonical(lengths, last_bytes, position, above, range_)


def _words_of(payloads: list[bytes]) -> UInt64:
    """Big-endian words, zeros after the end; the last column is zero for all."""
    width = 4 * (max(2, -(-max(map(len, payloads), default=0) // 4)) + 1)
    text = b"".join(data.ljust(width, b"\0") for data in payloads)
    return np.frombuffer(text, ">u4").reshape(len(payloads), width // 4).astype(np.uint64)


def _canonical(
    lengths: Indices, last_bytes: UInt64, position: Indices, above: UInt64, range_: UInt64
) -> npt.NDArray[np.bool_]:
    """Whether a payload, `above` over its interval's low end, is the shortest string there, and the smallest of these.

    In units of its last byte's place, u, it is the smallest just if above < u. With b for the last byte, the multiples
    of 256 u next to it lie b u below and (256 - b) u above; it is the shortest just if both are outside.
    """
    missing = 4 * position - lengths  # bytes of the interval's numbers that the payload leaves out
    unit = np.uint64(1) << (8 * np.clip(missing, 0, 7)).astype(np.uint64)
    down, up = last_bytes * unit, (np.uint64(256) - last_bytes) * unit
    within_state = (above < unit) & (down > above) & (up >= range_ - above)
    # A unit of 2^64 or more is wider than any interval: there is but one multiple, and it may not end in a zero byte.
    result: npt.NDArray[np.bool_] = np.where(missing > 7, (lengths == 0) | (last_bytes > 0), within_state)
    return result & (missing >= 0)
