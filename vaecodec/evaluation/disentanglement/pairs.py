"""Pairs of images that share one factor, the difference of their codes, and what a linear classifier tells from it.

factor f drawn, then `pairs` times:  row 1 at random, row 2 with the same value of f  ──> codes z1, z2 (pairs, d)
    the paper's   Δz = ½ Σ |z1 − z2|      (d,)
    Higgins'      Δz = 1/L Σ |z1 − z2|    (d,)      L pairs
many such Δz (votes, d) with their f (votes,) ──linear classifier──> accuracy on votes it has not seen

The paper (section 3.6, equation 2) writes ½ and Σ over i = 1 … N and calls it an average: read over N pairs it is
Higgins' mean times N/2, one factor for all latents, so that a classifier that standardises its input cannot tell the
two apart. Higgins et al. 2017, "β-VAE: learning basic visual concepts with a constrained variational framework",
algorithm 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.evaluation.disentanglement.bootstrap import Numbers, Rows, measurement, replicate_split
from vaecodec.evaluation.disentanglement.information import Codes, Float64, Ints, as_codes
from vaecodec.evaluation.disentanglement.records import Measurement, Setting
from vaecodec.evaluation.disentanglement.truth import GroundTruth

VOTES = 3_000
PAIRS = 64  # L
REPLICATES = 6


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """first, second: rows (votes, pairs); factor: the one that all pairs of a vote share, (votes,)."""

    first: Rows
    second: Rows
    factor: Ints

    def __len__(self) -> int:
        return len(self.factor)


def draw_pairs(truth: GroundTruth, votes: int, pairs: int, *, rng: np.random.Generator) -> Pairs:
    """`votes` times a factor at random and `pairs` pairs of rows that share it, everything else at random."""
    factor = rng.integers(0, truth.count, votes)
    first = truth.any_rows((votes, pairs), rng)
    second = truth.alike(first, np.broadcast_to(factor[:, None], first.shape), rng)
    return Pairs(first, second, factor)


def half_sum_difference(z1: NDArray[Any], z2: NDArray[Any]) -> Float64:
    """The paper's equation 2 to the letter: ½ Σ |z1 − z2| over the pairs, (…, pairs, d) -> (…, d)."""
    return np.asarray(0.5 * np.abs(z1 - z2).sum(axis=-2), dtype=np.float64)


def mean_difference(z1: NDArray[Any], z2: NDArray[Any]) -> Float64:
    """Higgins' 1/L Σ |z1 − z2| over the L pairs, (…, pairs, d) -> (…, d)."""
    return np.asarray(np.abs(z1 - z2).mean(axis=-2), dtype=np.float64)


def differences(codes: NDArray[Any], pairs: Pairs) -> tuple[Float64, Float64]:
    """(the paper's Δz, Higgins' Δz), (votes, d) each, a vote at a time so that memory stays small."""
    halves = np.stack([half_sum_difference(codes[a], codes[b]) for a, b in zip(pairs.first, pairs.second, strict=True)])
    return halves, halves * 2 / pairs.first.shape[1]


def pairs_accuracy(
    codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, pairs: int = PAIRS, replicates: int = REPLICATES
) -> Measurement:
    """How often a linear classifier of the differences, as they are, names the factor that the pairs share.

    The two differ by a factor of L/2 alone, which a classifier with a penalty on its weights does see.
    """
    drawn = draw_pairs(truth, VOTES, pairs, rng=rng)
    halves, means = differences(as_codes(codes), drawn)
    features = {"paper's Δz": halves, "Higgins' Δz": means}
    return classify_votes("pairs", features, drawn.factor, rng=rng, replicates=replicates, settings=(("pairs", pairs),))


def classify_votes(
    metric: str,
    features: Mapping[str, Float64],
    labels: Ints,
    *,
    rng: np.random.Generator,
    replicates: int,
    settings: tuple[Setting, ...],
) -> Measurement:
    """The linear classifier's accuracy on the last third of the votes, for each of the features (votes, d) by name.

    It is fitted on the other two thirds; the bootstrap draws votes, from either part apart.
    """
    training = len(labels) - len(labels) // 3

    def of(train: Rows, test: Rows) -> Numbers:
        return tuple(linear_accuracy(x[train], labels[train], x[test], labels[test]) for x in features.values())

    more: tuple[Setting, ...] = (("predictor", "logistic regression"), ("training votes", training), *settings)
    found = replicate_split(of, training, len(labels), replicates, rng)
    numbers = of(np.arange(training), np.arange(training, len(labels)))
    return measurement(metric, tuple(features), numbers, found, n=len(labels), settings=more)


def linear_accuracy(features: Float64, labels: Ints, test_features: Float64, test_labels: Ints) -> float:
    """Of a logistic regression fitted on the one and scored on the other, the features as they are."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(labels)) == 1:
        return float((test_labels == labels[0]).mean())
    model: Any = LogisticRegression(solver="newton-cholesky").fit(features, labels)  # few weights: exact in a few steps
    return float(model.score(test_features, test_labels))
