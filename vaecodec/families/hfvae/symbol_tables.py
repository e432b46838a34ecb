"""Tables of symbols that are names and not numbers: a category, or the cell of several latents.

names (N,) ──pmf_table──> one table         tables, tables, … ──stack_tables──> all of them, as wide as the widest
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.families.hfvae.joint_symbols import Cells

PRIOR_WEIGHT = 8.0  # observations that the smoothing weighs as much as: what tables_from_histogram takes

Names = npt.NDArray[np.int32]


def category_table(names: Names, categories: int, *, coded: bool) -> CodingTables:
    """The learned pmf of a category: its counts, smoothed by a uniform one. coded: False where it carries nothing."""
    counted = np.bincount(names, minlength=categories) + PRIOR_WEIGHT / categories
    return _table(counted, coded=coded)


def cells_table(names: Names, cells: Cells) -> CodingTables:
    """The joint pmf of a group's cells, smoothed by the product of its latents' own."""
    product = np.ones(1)
    for column, low, width in zip(cells.symbols(names).T, cells.low, cells.width, strict=True):
        own = np.bincount(column - low, minlength=width) + PRIOR_WEIGHT / width
        product = np.outer(product, own / own.sum()).ravel()
    return _table(np.bincount(names, minlength=cells.cells) + PRIOR_WEIGHT * product, coded=True)


def stack_tables(parts: Sequence[CodingTables]) -> CodingTables:
    """One table after the other. The narrower ones get columns of one count each, which their largest pays."""
    alphabet = max(part.alphabet for part in parts)
    return CodingTables(
        np.concatenate([part.offsets for part in parts]),
        np.concatenate([_widened(part.counts, alphabet) for part in parts]),
        np.concatenate([part.coded for part in parts]),
    )


def _widened(counts: npt.NDArray[np.uint32], alphabet: int) -> npt.NDArray[np.uint32]:
    more = alphabet - counts.shape[1]
    ones = np.ones((len(counts), more), np.uint32)
    wide: npt.NDArray[np.uint32] = np.concatenate([counts[:, :-1], ones, counts[:, -1:]], axis=1)
    rows = np.arange(len(wide))
    wide[rows, wide.argmax(axis=1)] -= np.uint32(more)
    return wide


def _table(weights: npt.NDArray[np.float64], *, coded: bool) -> CodingTables:
    """One row from 0 on; nothing escapes, so the escape gets the single count that it must have."""
    counts = counts_from_probabilities(np.append(weights, 0.0)[None])
    first = 0 if coded else int(weights.argmax())
    return CodingTables(np.array([first], np.int32), counts, np.array([coded]))
