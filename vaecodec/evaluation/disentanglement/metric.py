"""Metric: the record of one metric, and the three things that are asked of it.

metric.measure(codes, truth)  its values, with intervals
metric.null(codes, truth)     the same for ten rotations of the codes
metric.ceiling(truth)         the same for the true factors as codes
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vaecodec.evaluation.disentanglement.information import Codes
from vaecodec.evaluation.disentanglement.records import Measurement
from vaecodec.evaluation.disentanglement.rotation import ROTATIONS, Null, rotation_null
from vaecodec.evaluation.disentanglement.truth import GroundTruth

Score = Callable[[Codes, GroundTruth, np.random.Generator, int], Measurement]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    score(codes, truth, rng, replicates): the metric itself; codes float or whole (n, d), in the rows of the truth.
    replicates: of its bootstrap where nobody says how many. least_factors: with fewer it means nothing. sees_axes:
    False where a rotation of the codes changes nothing by construction, so that no null can be exceeded.
    """

    name: str
    title: str
    paper: str
    score: Score
    replicates: int
    least_factors: int = 1
    sees_axes: bool = True

    def measure(
        self, codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, replicates: int | None = None
    ) -> Measurement:
        """Values with their intervals; none with replicates 0. Raises ValueError for codes that do not fit."""
        if len(codes) != len(truth):
            raise ValueError(f"{self.name}: {len(codes)} codes for {len(truth)} images")
        if truth.count < self.least_factors:
            raise ValueError(f"{self.name}: expected {self.least_factors} factors or more, found {truth.count}")
        return self.score(codes, truth, rng, self.replicates if replicates is None else replicates)

    def null(
        self, codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, rotations: int = ROTATIONS
    ) -> tuple[Null, ...]:
        """One for each value, over random rotations of the codes."""
        return rotation_null(
            lambda turned: self.measure(turned, truth, rng=rng, replicates=0), codes, rng=rng, rotations=rotations
        )

    def ceiling(self, truth: GroundTruth, *, rng: np.random.Generator, as_symbols: bool = False) -> Measurement:
        """What the true factors have as codes: floats, or symbols."""
        codes = truth.factors if as_symbols else truth.factors.astype(np.float64)
        return self.measure(codes, truth, rng=rng, replicates=0)
