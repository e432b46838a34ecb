"""The levels of a model file, plain or packed.

plain, up to 16 levels      offsets (n)   counts (n, a)                          coded (n)   center (n)   step (n)
packed, more than 16        offsets (n)   windows (m, 2)   counts (sum + m)      coded (n)   alphabet (1)

Packed: of each of the m coded latents only the columns from the first to the last whose count is not 1, then the
escape's; the row of a collapsed latent, which nothing reads, is not stored. Centers that are 0 and steps that are 1 at
all levels are left out. 64 levels of 512 latents take 1 MB so, and 8 MB plain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Symbols
from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.limits import MAX_ALPHABET, MAX_ENTRIES, MAX_LEVELS_ENTRIES
from vaecodec.bitstream.reader import Buffer
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import TOTAL, CodingTables
from vaecodec.errors import BadField, LimitExceeded
from vaecodec.exact.stored_form import Sections

MOST_PLAIN_LEVELS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One point of the rate-distortion curve: the tables that decide the code, and how the encoder quantises."""

    beta: float
    tables: CodingTables
    quantizer: Quantizer

    def symbols_of(self, y: npt.NDArray[np.float32]) -> Symbols:
        """Symbols (b, n) of latents (b, n), rounded; a collapsed latent has the only symbol that it can have."""
        return self.tables.fill_collapsed(self.quantizer.round_to_symbols(y))


def pack_tables(levels: Sequence[Level]) -> Sections:
    """The sections under decode/ of all levels."""
    packed = len(levels) > MOST_PLAIN_LEVELS
    return {
        f"decode/level/{k}/{name}": pack_array(array)
        for k, level in enumerate(levels)
        for name, array in (_windowed(level.tables) if packed else level.tables.to_arrays()).items()
    }


def pack_quantizers(levels: Sequence[Level]) -> Sections:
    """The sections under encode/ of all levels."""
    if len(levels) > MOST_PLAIN_LEVELS and all(_is_plain_rounding(level.quantizer) for level in levels):
        return {}
    sections: Sections = {}
    for k, level in enumerate(levels):
        sections[f"encode/level/{k}/center"] = pack_array(level.quantizer.center)
        sections[f"encode/level/{k}/step"] = pack_array(level.quantizer.step)
    return sections


def unpack_levels(betas: Sequence[float], sections: Mapping[str, Buffer]) -> tuple[Level, ...]:
    """The inverse of both. Raises BadField, LimitExceeded, KeyError for a section that is not there."""
    packed = len(betas) > MOST_PLAIN_LEVELS
    names = ("offsets", "coded", "alphabet", "windows", "counts") if packed else ("offsets", "counts", "coded")
    levels: list[Level] = []
    entries = 0
    for k, beta in enumerate(betas):
        arrays = {name: unpack_array(sections[f"decode/level/{k}/{name}"]) for name in names}
        tables = _from_windows(arrays) if packed else CodingTables.from_arrays(arrays)
        entries += tables.counts.size
        if entries > MAX_LEVELS_ENTRIES:
            raise LimitExceeded(f"coding tables: {entries} entries of {k + 1} levels, at most {MAX_LEVELS_ENTRIES}")
        if packed and "encode/level/0/center" not in sections:
            quantizer = Quantizer.rounding(tables.n)
        else:
            quantizer = Quantizer(*(unpack_array(sections[f"encode/level/{k}/{name}"]) for name in ("center", "step")))
        levels.append(Level(beta, tables, quantizer))
    return tuple(levels)


def _is_plain_rounding(quantizer: Quantizer) -> bool:
    return not quantizer.center.any() and bool((quantizer.step == 1).all())


def _windowed(tables: CodingTables) -> dict[str, npt.NDArray[Any]]:
    rows = tables.counts[tables.coded]
    more = rows[:, :-1] > 1
    some = more.any(axis=1)
    first = np.where(some, more.argmax(axis=1), 0)
    length = np.where(some, more.shape[1] - more[:, ::-1].argmax(axis=1) - first, 0)
    return {
        "offsets": tables.offsets,
        "coded": tables.coded.astype(np.uint8),
        "alphabet": np.array([tables.alphabet], np.uint16),
        "windows": np.column_stack([first, length]).astype(np.uint16),
        "counts": rows[_inside(first, length, tables.alphabet)].astype(np.uint32),
    }


def _inside(first: npt.NDArray[np.int64], length: npt.NDArray[np.int64], alphabet: int) -> npt.NDArray[np.bool_]:
    """The columns (m, alphabet) that are kept of each row: its window, and the last, which is the escape."""
    columns = np.arange(alphabet)
    kept = (columns >= first[:, None]) & (columns < (first + length)[:, None])
    kept[:, -1] = True
    return np.asarray(kept)


def _from_windows(arrays: Mapping[str, npt.NDArray[Any]]) -> CodingTables:
    offsets, coded, windows, kept = (arrays[name] for name in ("offsets", "coded", "windows", "counts"))
    alphabet = arrays["alphabet"]
    for name, dtype, ndim in (("alphabet", "u2", 1), ("windows", "u2", 2), ("counts", "u4", 1), ("coded", "u1", 1)):
        if arrays[name].dtype != np.dtype(dtype) or arrays[name].ndim != ndim:
            raise BadField(f"coding tables: packed {name} must be a {ndim}-dimensional {np.dtype(dtype)} array")
    if alphabet.shape != (1,) or not 2 <= alphabet[0] <= MAX_ALPHABET:
        raise BadField(f"coding tables: an alphabet of 2..{MAX_ALPHABET} columns is expected")
    a, n = int(alphabet[0]), len(coded)
    if n * a > MAX_ENTRIES:
        raise LimitExceeded(f"coding tables: {n} x {a} entries, at most {MAX_ENTRIES} allowed")
    first, length = windows.astype(np.int64).T if windows.shape[1] == 2 else (np.empty(0, np.int64),) * 2
    if (coded > 1).any() or len(first) != coded.sum() or (first + length > a - 1).any():
        raise BadField("coding tables: windows do not fit the coded latents or the alphabet")
    if len(kept) != length.sum() + len(first):
        raise BadField(f"coding tables: {len(kept)} packed counts, expected {length.sum() + len(first)}")
    counts = np.ones((n, a), np.uint32)
    counts[:, 0] = TOTAL - (a - 1)  # a row of a collapsed latent, which nothing reads
    rows = np.ones((len(first), a), np.uint32)
    rows[_inside(first, length, a)] = kept
    counts[coded == 1] = rows
    return CodingTables(offsets, counts, coded.astype(np.bool_))
