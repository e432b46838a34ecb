"""DCI: which latents a predictor of each factor uses (disentanglement, completeness), and how well it predicts
(informativeness).

codes (n, d) ──a forest for each factor──> importances R (d, k) ──> D: does a latent serve one factor?
                                     └──> held-out score ──> I      C: is a factor served by one latent?

Eastwood & Williams 2018, "A framework for the quantitative evaluation of disentangled representations", section 2. D
and C depend much on the predictor, so it is named: `classifier` takes every factor's classes as labels, `regressor`
takes ordered factors as numbers (dSprites' vae has D .03 with one and .19 with the other).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.evaluation.disentanglement.bootstrap import Numbers, Rows, measurement, replicate_split, take_rows
from vaecodec.evaluation.disentanglement.information import Codes, Float64, as_codes
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement
from vaecodec.evaluation.disentanglement.truth import GroundTruth

TRAINING_ROWS, TEST_ROWS = 1_500, 1_000
TREES = 10
LEAST_IN_LEAF = 5
REPLICATES = 4  # each fits k forests anew
NAMES = ("DCI D", "DCI C", "DCI I")


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """importances: (d, k), each column adds up to 1. scores: held-out accuracy or R² of each factor, (k,)."""

    importances: Float64
    scores: Float64


def dci_classifier(
    codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, replicates: int = REPLICATES
) -> Measurement:
    """D, C and I (accuracy) with a random forest that classifies every factor."""
    return _measure("dci-classifier", codes, truth, (False,) * truth.count, rng, replicates)


def dci_regressor(
    codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, replicates: int = REPLICATES
) -> Measurement:
    """D, C and I (R², for unordered factors accuracy) with a random forest that regresses the ordered factors."""
    return _measure("dci-regressor", codes, truth, truth.ordered, rng, replicates)


def _measure(
    metric: str,
    codes: Codes,
    truth: GroundTruth,
    regressed: tuple[bool, ...],
    rng: np.random.Generator,
    replicates: int,
) -> Measurement:
    rows = take_rows(len(codes), TRAINING_ROWS + TEST_ROWS, rng)
    kept = as_codes(codes[rows]).astype(np.float64)
    factors = truth.factors[rows]
    cut = len(rows) * TRAINING_ROWS // (TRAINING_ROWS + TEST_ROWS)
    seed = int(rng.integers(2**31))

    def of(train: Rows, test: Rows) -> Numbers:
        found = predict(kept[train], factors[train], kept[test], factors[test], regressed, seed)
        return disentanglement(found.importances), completeness(found.importances), float(found.scores.mean())

    predictor = f"random forest, {TREES} trees, leaves of {LEAST_IN_LEAF}, " + (
        "ordered factors regressed" if any(regressed) else "classified"
    )
    return measurement(
        metric,
        NAMES,
        of(np.arange(cut), np.arange(cut, len(rows))),
        replicate_split(of, cut, len(rows), replicates, rng),
        n=len(rows),
        settings=[("predictor", predictor), ("training rows", cut), ("predictor seed", seed)],
    )


def predict(
    codes: Float64,
    factors: NDArray[np.int64],
    test_codes: Float64,
    test_factors: NDArray[np.int64],
    regressed: tuple[bool, ...],
    seed: int,
) -> Predicted:
    """A forest for each factor, fitted on (m, d) and (m, k), scored on the test rows."""
    importances, scores = [], []
    for factor, regress in enumerate(regressed):
        forest = _forest(regress, seed + factor).fit(codes, factors[:, factor])
        importances.append(forest.feature_importances_)
        scores.append(float(forest.score(test_codes, test_factors[:, factor])))
    return Predicted(np.stack(importances, axis=1), np.array(scores))


def _forest(regress: bool, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if regress else RandomForestClassifier
    # Every latent is tried at every split: with a few alone, true factors have D .5, not 1. Leaves hold five images:
    # trees that tell single images apart split by latents at random, and every code's D falls (vae .006 for .024).
    return kind(TREES, min_samples_leaf=LEAST_IN_LEAF, max_features=None, random_state=seed, n_jobs=1)


def disentanglement(importances: Float64) -> float:
    """Σ_j ρ_j (1 − H_k(P_j)): P_j a latent's importances made to add up to 1, ρ_j its part of all of them."""
    total = importances.sum()
    if importances.shape[1] < 2 or not total:
        return 0.0
    return float((importances.sum(axis=1) / total * (1 - _entropies(importances))).sum())


def completeness(importances: Float64) -> float:
    """Σ_i ρ_i (1 − H_d(P_i)), the same for each factor over the latents."""
    return disentanglement(importances.T)


def _entropies(rows: Float64) -> Float64:
    """Entropy of each row, scaled to add up to 1, with the logarithm to the base of its length: 0 to 1."""
    sums = rows.sum(axis=1, keepdims=True)
    shares = np.divide(rows, sums, out=np.zeros_like(rows), where=sums > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(axis=1) / np.log(rows.shape[1]))


CLASSIFIER = Metric(
    name="dci-classifier",
    title="disentanglement, completeness, informativeness; classified",
    paper="Eastwood & Williams 2018",
    score=lambda codes, truth, rng, replicates: dci_classifier(codes, truth, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    least_factors=2,
)
REGRESSOR = Metric(
    name="dci-regressor",
    title="disentanglement, completeness, informativeness; ordered factors regressed",
    paper="Eastwood & Williams 2018",
    score=lambda codes, truth, rng, replicates: dci_regressor(codes, truth, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    least_factors=2,
)
