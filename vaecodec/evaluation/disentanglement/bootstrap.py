"""Bootstrap intervals: a metric measured again on rows drawn with replacement.

rows 0 … n−1 ──drawn with replacement──> (n,) ──metric──> (v,)   B times ──> value ± t · deviation of the B

Information that is counted in histograms *rises* when rows are drawn twice, and a predictor that sees a test row in
training too does better: the replicates are shifted. So only their spread is used (Efron & Tibshirani 1993, sections
12.4 and 13.3: the bootstrap-t's simple form), Student's quantile standing for how few they are where a predictor is
fitted each time.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.evaluation.disentanglement.records import Interval, Measurement, Setting, Value

Rows = NDArray[np.intp]
Numbers = tuple[float, ...]
CONFIDENCE = 0.95
LEAST_REPLICATES = 3  # a deviation of two is no deviation


def take_rows(n: int, wanted: int, rng: np.random.Generator) -> Rows:
    """`wanted` different rows of n in random order, or all of them where there are fewer."""
    return rng.permutation(n)[: min(n, wanted)]


def replicate(measure: Callable[[Rows], Numbers], n: int, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(times, v): what `measure` says of rows (n,) drawn with replacement, `times` times."""
    return np.array([measure(rng.integers(0, n, n)) for _ in range(times)], dtype=np.float64)


def replicate_split(
    measure: Callable[[Rows, Rows], Numbers], training: int, n: int, times: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(times, v): the same with training rows drawn from the first `training` and test rows from the others.

    No row is ever on both sides.
    """
    drawn = ((rng.integers(0, training, training), rng.integers(training, n, n - training)) for _ in range(times))
    return np.array([measure(train, test) for train, test in drawn], dtype=np.float64)


def spread_interval(value: float, replicates: NDArray[Any]) -> Interval:
    """value ± t·s, s the replicates' (B,) deviation. Raises ValueError for fewer than three."""
    if len(replicates) < LEAST_REPLICATES:
        raise ValueError(f"replicates: expected {LEAST_REPLICATES} or more, found {len(replicates)}")
    from scipy.stats import t

    reach = float(t.ppf(0.5 + CONFIDENCE / 2, len(replicates) - 1) * np.std(replicates, ddof=1))
    return Interval(value - reach, value + reach)


def measurement(
    metric: str,
    names: Sequence[str],
    numbers: Numbers,
    replicates: NDArray[Any],
    *,
    n: int,
    settings: Sequence[Setting],
    units: Sequence[str] = (),
) -> Measurement:
    """The record of a metric's numbers (v,) and their replicates (B, v); no intervals where B is 0."""
    values = []
    for column, (name, number) in enumerate(zip(names, numbers, strict=True)):
        interval = spread_interval(number, replicates[:, column]) if len(replicates) else None
        values.append(Value(name, number, interval, units[column] if units else ""))
    more: tuple[Setting, ...] = (("replicates", len(replicates)),)
    return Measurement(metric, tuple(values), n, (*settings, *more))
