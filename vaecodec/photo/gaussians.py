"""Integer tables of Gaussians around 0, from which the heads choose one for each symbol by its number.

number k --> scale 0.11 · e^(0.1 k) steps --> counts of the symbols -r … r and of the escape
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.tables import CodingTables, Float64, counts_from_probabilities

LEAST_SCALE, GREATEST_SCALE = 0.11, 60.0  # in steps
TABLES = 64
TABLE_STEP = math.log(GREATEST_SCALE / LEAST_SCALE) / (TABLES - 1)  # of ln σ
REACH = 6.5  # a table's symbols, in scales; rarer ones are escapes


@dataclass(frozen=True)
class GaussianTables:
    """counts[k]: uint32 (2 r + 2,) of the symbols -r … r and the escape, of scale 0.11 · e^(0.1 k)."""

    counts: tuple[npt.NDArray[np.uint32], ...]

    @classmethod
    def make(cls) -> GaussianTables:
        """Computed once, when a model file is made; a decoder only ever reads them."""
        return cls(tuple(_gaussian_counts(LEAST_SCALE * math.exp(TABLE_STEP * k)) for k in range(TABLES)))

    @cached_property
    def tables(self) -> tuple[CodingTables, ...]:
        """Each as the coding table of one symbol."""
        coded = np.ones(1, np.bool_)
        return tuple(CodingTables(np.full(1, 1 - len(row) // 2, np.int32), row[None], coded) for row in self.counts)

    @cached_property
    def bits(self) -> Float64:
        """Of symbols 0, 1, 2 … (columns) under each table (rows); what lies beyond a table costs ever more."""
        width = len(self.counts[-1]) // 2
        bits = np.full((TABLES, width), 24.0) + 2 * np.arange(width)
        for number, row in enumerate(self.counts):
            half = row[len(row) // 2 - 1 : -1].astype(np.float64)
            bits[number, : len(half)] = 24 - np.log2(half)
        return np.asarray(bits)


def _gaussian_counts(scale: float) -> npt.NDArray[np.uint32]:
    reach = max(1, math.ceil(REACH * scale))
    edges = [math.erf((s - 0.5) / (scale * math.sqrt(2))) for s in range(-reach, reach + 2)]
    inside = np.diff(edges) / 2
    beyond = max(1 - inside.sum(), 1e-9)
    return counts_from_probabilities(np.append(inside, beyond))
