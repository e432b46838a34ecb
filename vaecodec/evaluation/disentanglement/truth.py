"""GroundTruth: the factors behind a set of images, and images drawn by them.

factors (n, k) ──with_value(i, v)──> rows whose factor i is v        for Higgins' pairs and Kim's batches
               ──any_rows──────────> rows at random

The table may be a whole grid or any part of it that is uniform over the factors: a part stands for the grid as long
as each value of each factor has many rows.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """factors: int64 (n, k), classes from 0. ordered: whether a factor's classes are a scale (a place, not a shape)."""

    factors: Ints
    names: tuple[str, ...]
    ordered: tuple[bool, ...]

    def __post_init__(self) -> None:
        shape = self.factors.shape
        if len(shape) != 2 or self.factors.dtype.kind != "i" or not shape[0]:
            raise ValueError(f"factors: expected whole numbers (n, k), found {self.factors.dtype} {shape}")
        if not len(self.names) == len(self.ordered) == shape[1]:
            raise ValueError(f"factors: {shape[1]} columns, {len(self.names)} names, {len(self.ordered)} orders")
        if self.factors.min() < 0:
            raise ValueError(f"factors: expected classes from 0, found {self.factors.min()}")

    def __len__(self) -> int:
        return len(self.factors)

    @property
    def count(self) -> int:
        """How many factors."""
        return self.factors.shape[1]

    @cached_property
    def _sorted(self) -> list[tuple[Rows, Rows]]:
        """Of each factor: rows in order of their class, and where each class starts, one entry more at the end."""
        found = []
        for column in self.factors.T:
            order = np.argsort(column, kind="stable")
            found.append((order, np.searchsorted(column[order], np.arange(int(column.max()) + 2))))
        return found

    def any_rows(self, shape: tuple[int, ...], rng: np.random.Generator) -> Rows:
        """Rows at random, with replacement."""
        return rng.integers(0, len(self), shape)

    def alike(self, rows: Rows, factors: Ints, rng: np.random.Generator) -> Rows:
        """For each row (…), a row at random whose factor `factors` (…) has the same value; it may be the same one."""
        chosen = np.empty_like(rows)
        for factor in range(self.count):
            here = factors == factor
            order, starts = self._sorted[factor]
            values = self.factors[rows[here], factor]
            low, high = starts[values], starts[values + 1]
            chosen[here] = order[low + (rng.random(low.shape) * (high - low)).astype(np.intp)]
        return chosen
