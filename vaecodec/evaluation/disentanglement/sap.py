"""SAP: how much better one latent predicts each factor than the next best latent does, each latent alone.

Kumar, Sattigeri, Balakrishnan 2018, "Variational inference of disentangled latent concepts from unlabeled
observations", section 3: R² of a straight line for ordered factors, accuracy of a linear classifier for the others.
"""

from typing import Any

import numpy as np

from vaecodec.evaluation.disentanglement.bootstrap import Numbers, Rows, measurement, replicate_split, take_rows
from vaecodec.evaluation.disentanglement.information import Codes, Float64, Ints, as_codes, largest_two, standardise
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement
from vaecodec.evaluation.disentanglement.truth import GroundTruth

TRAINING_ROWS, TEST_ROWS = 2_000, 2_000
REPLICATES = 10
PENALTY = 0.01  # the C of Kumar et al.'s support vector machine, as Locatello et al. 2019, appendix C, have it


def sap(codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, replicates: int = REPLICATES) -> Measurement:
    """Of codes (n, d), fitted on 2,000 images and scored on 2,000 others."""
    rows = take_rows(len(codes), TRAINING_ROWS + TEST_ROWS, rng)
    kept, factors = standardise(as_codes(codes[rows])), truth.factors[rows]
    half = len(rows) // 2

    def of(train: Rows, test: Rows) -> Numbers:
        table = single_scores(kept[train], factors[train], kept[test], factors[test], truth.ordered)
        first, second = largest_two(table)
        return (float((first - second).mean()),)

    return measurement(
        "sap",
        ("SAP",),
        of(np.arange(half), np.arange(half, len(rows))),
        replicate_split(of, half, len(rows), replicates, rng),
        n=len(rows),
        settings=[("predictor", f"R² of a line; linear SVM, C {PENALTY:g}"), ("training rows", half)],
    )


def single_scores(
    codes: Float64, factors: Ints, test_codes: Float64, test_factors: Ints, ordered: tuple[bool, ...]
) -> Float64:
    """(d, k): the held-out score of each latent alone on each factor, not below 0."""
    table = np.empty((codes.shape[1], factors.shape[1]))
    for i, by_line in enumerate(ordered):
        for j in range(codes.shape[1]):
            one = (codes[:, j], factors[:, i], test_codes[:, j], test_factors[:, i])
            table[j, i] = _line(*one) if by_line else _machine(*one)
    return np.maximum(table, 0)


def _line(x: Float64, y: Ints, test_x: Float64, test_y: Ints) -> float:
    """R² on the test rows of the least-squares line of the training rows."""
    spread = float(np.square(x - x.mean()).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread else 0.0
    left = test_y - (y.mean() + slope * (test_x - x.mean()))
    return 1 - float(np.square(left).sum() / np.square(test_y - test_y.mean()).sum())


def _machine(x: Float64, y: Ints, test_x: Float64, test_y: Ints) -> float:
    """Accuracy on the test rows of a linear support vector machine."""
    from sklearn.svm import LinearSVC

    model: Any = LinearSVC(C=PENALTY, dual=False, class_weight="balanced").fit(x[:, None], y)
    return float(model.score(test_x[:, None], test_y))


METRIC = Metric(
    name="sap",
    title="separated attribute predictability",
    paper="Kumar et al. 2018",
    score=lambda codes, truth, rng, replicates: sap(codes, truth, rng=rng, replicates=replicates),
    replicates=REPLICATES,
)
