"""A model of more than 16 levels, whose tables are packed, made from a golden one by the page (section 10)."""

import copy

import numpy as np
from numpy.typing import NDArray

from tests.independent import arrays, container, writing
from tests.independent.program import golden_file

LEVELS = 20


def packed_model() -> bytes:
    """The golden model "levels" with its levels repeated, and of each another latent collapsed."""
    held = container.read(golden_file("levels"))
    meta = copy.deepcopy(held.meta)
    sections = {n: s for n, s in held.sections.items() if not n.startswith(("decode/level/", "encode/level/"))}
    stored = meta["decode"]["levels"]
    meta["decode"]["levels"] = LEVELS
    meta["encode"]["betas"] = [1.0] * LEVELS
    for level in range(LEVELS):
        source, target = f"decode/level/{level % stored}/", f"decode/level/{level}/"
        offsets, counts, coded = (
            arrays.read(held.sections[source + field], field).copy() for field in ("offsets", "counts", "coded")
        )
        coded[level % len(coded)] = 0
        windows, kept = _packed(counts[coded == 1])
        sections[target + "offsets"] = writing.array(offsets)
        sections[target + "coded"] = writing.array(coded)
        sections[target + "alphabet"] = writing.array(np.array([counts.shape[1]], np.uint16))
        sections[target + "windows"] = writing.array(np.array(windows, np.uint16).reshape(-1, 2))
        sections[target + "counts"] = writing.array(np.array(kept, np.uint32))
    return writing.container(meta, sections)


def _packed(rows: NDArray[np.uint32]) -> tuple[list[tuple[int, int]], list[int]]:
    windows, kept = [], []
    for row in rows:
        places = np.flatnonzero(row[:-1] != 1)
        first, size = (int(places[0]), int(places[-1] - places[0]) + 1) if len(places) else (0, 0)
        windows.append((first, size))
        kept += [*row[first : first + size].tolist(), int(row[-1])]
    return windows, kept
