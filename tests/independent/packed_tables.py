"""Coding tables of a model with more than 16 levels: only the counts that are not 1 are stored (section 10)."""

import numpy as np
from numpy.typing import NDArray

from tests.independent.arrays import Sections
from tests.independent.refusal import require
from tests.independent.tables import Tables, check_size


def read_packed(sections: Sections, prefix: str) -> Tables:
    """The tables, with rows of collapsed latents, which nothing reads, made up."""
    offsets = sections.array(prefix + "offsets", "<i4", 1)
    coded = sections.array(prefix + "coded", "u1", 1)
    alphabet = sections.array(prefix + "alphabet", "<u2", 1)
    windows = sections.array(prefix + "windows", "<u2", 2).astype(np.int64)
    stored = sections.array(prefix + "counts", "<u4", 1)
    require(alphabet.shape == (1,), "BadField", f"{prefix}alphabet is not one number")
    require(offsets.shape == coded.shape, "BadField", f"{prefix}offsets and coded differ in length")
    require(bool((coded <= 1).all()), "BadField", "coded is 0 or 1")
    columns = int(alphabet[0])
    require(columns >= 2, "BadField", f"{prefix}alphabet is below 2")
    check_size(len(offsets), columns)
    require(windows.shape == (int(coded.sum()), 2), "BadField", f"{prefix}windows' shape")
    require(len(stored) == int(windows[:, 1].sum()) + len(windows), "BadField", f"{prefix}counts' length")
    counts = np.ones((len(offsets), columns), np.uint32)
    counts[:, -1] = 2**24 - (columns - 1)
    counts[coded == 1] = _unpack(windows, stored, columns, prefix)
    return Tables.of(offsets, counts, coded)


def _unpack(windows: NDArray[np.int64], stored: NDArray[np.uint32], columns: int, prefix: str) -> NDArray[np.uint32]:
    rows = np.ones((len(windows), columns), np.uint32)
    position = 0
    for row, (first, size) in zip(rows, windows.tolist(), strict=True):
        require(first + size <= columns - 1, "BadField", f"{prefix}windows leave the alphabet")
        require(size > 0 or first == 0, "NotCanonical", f"{prefix}windows: an empty one that is not 0, 0")
        window = stored[position : position + size]
        ends_differ = size == 0 or (window[0] != 1 and window[-1] != 1)
        require(bool(ends_differ), "NotCanonical", f"{prefix}windows: a count of 1 at an end")
        row[first : first + size] = window
        row[-1] = stored[position + size]
        position += size + 1
    return rows
