"""What may be said of a difference: its interval over seeds, at equal bytes, by ranks; and runs that are one run.

runs of one setting (seeds) ──pooled deviation──> noise of one run ──Student──> difference ± interval
runs of vae, β-VAE, tuned β ──one objective──> curve bytes → PSNR ──gap of another run at its bytes──> gap ± interval

Most settings were trained from one seed. What a seed makes of a run is then taken from the settings that have three:
their deviations, pooled, with as many degrees of freedom as there are seeds beyond the first of each.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from vaecodec.evaluation.disentanglement.records import Interval
from vaecodec.evaluation.results.stored import CurvePoint, TrainedRun

ONE_OBJECTIVE = ("vae", "beta-vae", "modified-beta-vae")  # distortion + β · KL over one network: one curve
CONFIDENCE = 0.95
REPLICATES = 2_000
LEAST_RUNS = 5  # of a rank correlation
BETTER_SHARE = 0.95  # of an objective: seeds of one setting differ by up to 0.048 of it

Number = Callable[[TrainedRun], float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval; n: runs behind it."""

    value: float
    interval: Interval
    n: int


def different_runs(runs: Iterable[TrainedRun]) -> list[TrainedRun]:
    """Each training once: two runs of a data set with the same curves are one, finished or coded in two ways."""
    found: dict[tuple[str, tuple[CurvePoint, ...]], TrainedRun] = {}
    for run in sorted(runs, key=lambda one: (*ONE_OBJECTIVE, one.family).index(one.family)):
        found.setdefault((run.data, run.curves), run)
    return sorted(found.values(), key=lambda one: one.name)


def by_setting(runs: Iterable[TrainedRun]) -> dict[tuple[str, str], list[TrainedRun]]:
    """(family, setting) → its runs, one for each seed."""
    found: dict[tuple[str, str], list[TrainedRun]] = {}
    for run in runs:
        found.setdefault((run.family, run.setting), []).append(run)
    return found


def most_seeded(runs: Iterable[TrainedRun], family: str) -> list[TrainedRun]:
    """The runs of a family's setting that has the most seeds, by seed; of several such settings the first."""
    settings = [part for (name, _), part in by_setting(runs).items() if name == family]
    most: list[TrainedRun] = max(settings, key=len) if settings else []
    return sorted(most, key=lambda run: run.seed)


@dataclass(frozen=True, slots=True)
class Noise:
    """What seeds make of one run: its standard deviation, and the degrees of freedom that it was estimated with."""

    deviation: float
    freedom: int

    def reach(self, *counts: int) -> float:
        """Half the 95 % interval of a sum or difference of means over so many runs each."""
        from scipy.stats import t

        share = math.sqrt(sum(1 / count for count in counts))
        return float(t.ppf(0.5 + CONFIDENCE / 2, self.freedom)) * self.deviation * share


def seed_noise(runs: Iterable[TrainedRun], value: Number) -> Noise | None:
    """Pooled over the settings that have several seeds; None where none has."""
    groups = [[value(run) for run in part] for part in by_setting(runs).values() if len(part) > 1]
    freedom = sum(len(group) - 1 for group in groups)
    if not freedom:
        return None
    squares = math.fsum((one - fmean(group)) ** 2 for group in groups for one in group)
    return Noise(math.sqrt(squares / freedom), freedom)


def difference(first: Sequence[TrainedRun], second: Sequence[TrainedRun], value: Number, noise: Noise) -> Estimate:
    """Mean of the first less mean of the second."""
    gap = fmean(map(value, first)) - fmean(map(value, second))
    reach = noise.reach(len(first), len(second))
    return Estimate(gap, Interval(gap - reach, gap + reach), len(first) + len(second))


class EqualBytes:
    """The curve of D + β · KL through bytes and another number, and how far other runs are from it at their bytes."""

    def __init__(self, runs: Iterable[TrainedRun], value: Number) -> None:
        self._value = value
        points = [run for run in different_runs(runs) if run.family in ONE_OBJECTIVE]
        grouped: dict[float, list[TrainedRun]] = {}
        for run in points:
            grouped.setdefault(run.beta, []).append(run)
        means = {fmean(one.file_bytes for one in part): fmean(map(value, part)) for part in grouped.values()}
        self._bytes = sorted(means)
        self._values = [means[where] for where in self._bytes]
        self.noise = seed_noise(points, self.gap) if len(means) > 1 else None

    def at(self, file_bytes: float) -> float:
        """By piecewise cubic Hermite interpolation; NaN outside the curve's points."""
        if not self.encloses(file_bytes):
            return math.nan
        from scipy.interpolate import PchipInterpolator

        return float(PchipInterpolator(self._bytes, self._values)(file_bytes))

    def encloses(self, file_bytes: float) -> bool:
        """Whether the curve says anything of so many bytes."""
        return len(self._bytes) > 1 and self._bytes[0] <= file_bytes <= self._bytes[-1]

    def gap(self, run: TrainedRun) -> float:
        """A run's number less the curve's at its bytes; at the curve's ends less that of the end."""
        held = min(max(run.file_bytes, self._bytes[0]), self._bytes[-1])
        return self._value(run) - self.at(held)

    def estimate(self, runs: Sequence[TrainedRun]) -> Estimate | None:
        """Of one setting's runs; None outside the curve or without seeds. The curve counts as one run more."""
        if self.noise is None or not all(self.encloses(run.file_bytes) for run in runs):
            return None
        gap, reach = fmean(map(self.gap, runs)), self.noise.reach(len(runs), 1)
        return Estimate(gap, Interval(gap - reach, gap + reach), len(runs))


def unfinished(runs: Iterable[TrainedRun]) -> list[TrainedRun]:
    """Runs of D + β · KL that stopped far from their end: another run does better by *their* objective.

    On the validation images that both have. At its optimum a run can be beaten so by what it overfits at most.
    """
    points = [run for run in different_runs(runs) if run.family in ONE_OBJECTIVE]

    def objective(run: TrainedRun, beta: float) -> float:
        last = run.curves[-1]
        return last.validation_distortion_nats + beta * last.validation_rate_nats

    return [
        run
        for run in points
        if any(objective(other, run.beta) < BETTER_SHARE * objective(run, run.beta) for other in points)
    ]


def rank_correlation(x: Sequence[float], y: Sequence[float], *, seed: int = 0) -> Estimate | None:
    """Spearman's, with the percentile interval of a bootstrap over the runs; None with fewer than five of them."""
    if len(x) < LEAST_RUNS or len(set(x)) < LEAST_RUNS - 2 or len(set(y)) < 2:
        return None
    pairs, rng = np.array([x, y]), np.random.default_rng(seed)
    drawn = [_spearman(pairs[:, rng.integers(0, len(x), len(x))]) for _ in range(REPLICATES)]
    low, high = np.nanquantile(drawn, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    value = _spearman(pairs)
    return Estimate(value, Interval(min(float(low), value), max(float(high), value)), len(x))


def _spearman(pairs: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> float:
    """Of (2, n): Pearson's correlation of the ranks, ties in the middle; NaN where one of the two is constant."""
    ranks = []
    for row in pairs:
        values, place, count = np.unique(row, return_inverse=True, return_counts=True)
        if len(values) < 2:
            return math.nan
        ranks.append((np.cumsum(count) - (count - 1) / 2)[place])
    return float(np.corrcoef(ranks)[0, 1])
