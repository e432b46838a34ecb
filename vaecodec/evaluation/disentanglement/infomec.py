"""InfoMEC: modularity and compactness by mutual information, explicitness by what a linear predictor can use.

I(code j; factor i) / H(factor i) ──> InfoM: of what a latent knows, is one factor the most part?
                                  ──> InfoC: of what is known of a factor, is one latent the most part?
codes ──logistic regression──> held-out −log2 p(factor) ──> InfoE: which share of H(factor) does it explain?

Hsu, Dorrell, Whittington, Wu, Finn 2023, "Disentanglement via latent quantization", section 4: made for quantised
latents. InfoE is scored on images that the predictor has not seen. All rotations of a code have nearly the same
InfoE, since a linear predictor undoes them: it cannot exceed its rotation null, and says nothing about axes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaecodec.evaluation.disentanglement.bootstrap import Numbers, Rows, measurement, replicate_split, take_rows
from vaecodec.evaluation.disentanglement.counted import REPLICATES, measure_counted
from vaecodec.evaluation.disentanglement.information import (
    BINS,
    Codes,
    Float64,
    InformationTable,
    Ints,
    as_codes,
    column_entropies,
    standardise,
)
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement

TRAINING_ROWS, TEST_ROWS = 2_000, 1_000
EXPLICIT_REPLICATES = 5  # each fits k regressions anew
ITERATIONS = 200
TOLERANCE = 1e-3


def infomec(
    codes: Codes,
    factors: Ints,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    bins: int = BINS,
    tolerance: float = TOLERANCE,
) -> Measurement:
    """InfoM, InfoC and InfoE of codes (n, d) and factors (n, k), 0 to 1. tolerance: of the regression's gradient."""
    counted = measure_counted(
        "infomec", ("InfoM", "InfoC"), shares, codes, factors, rng=rng, replicates=replicates, bins=bins
    )
    explicit = explicitness(
        codes, factors, rng=rng, replicates=min(replicates, EXPLICIT_REPLICATES), tolerance=tolerance
    )
    settings = (*counted.settings, *((f"InfoE {name}", value) for name, value in explicit.settings))
    return Measurement("infomec", (*counted.values, *explicit.values), counted.n, settings)


def shares(table: InformationTable) -> tuple[float, float]:
    """(InfoM, InfoC): how far above an even share the largest share is, by latents and by factors."""
    return _largest_share(table.shares), _largest_share(table.shares.T)


def _largest_share(rows: Float64) -> float:
    """The mean over rows (m, c) that hold anything of (largest / sum − 1/c) / (1 − 1/c); 1 where c is 1."""
    width = rows.shape[1]
    sums = rows.sum(axis=1)
    held = rows[sums > 0] / sums[sums > 0, None]
    if width == 1 or not len(held):
        return float(width == 1)
    return float(((held.max(axis=1) - 1 / width) / (1 - 1 / width)).mean())


def explicitness(
    codes: Codes, factors: Ints, *, rng: np.random.Generator, replicates: int, tolerance: float = TOLERANCE
) -> Measurement:
    """InfoE alone: the mean over the factors of 1 − (held-out bits) / H(factor), not below 0 for each."""
    rows = take_rows(len(codes), TRAINING_ROWS + TEST_ROWS, rng)
    kept, chosen = standardise(as_codes(codes[rows])), factors[rows]
    cut = len(rows) * TRAINING_ROWS // (TRAINING_ROWS + TEST_ROWS)

    def of(train: Rows, test: Rows) -> Numbers:
        bits = [linear_bits(kept[train], f[train], kept[test], f[test], tolerance) for f in chosen.T]
        return (float(np.maximum(0, 1 - np.array(bits) / column_entropies(chosen)).mean()),)

    return measurement(
        "infoe",
        ("InfoE",),
        of(np.arange(cut), np.arange(cut, len(rows))),
        replicate_split(of, cut, len(rows), replicates, rng),
        n=len(rows),
        settings=[("predictor", "logistic regression"), ("training rows", cut)],
    )


def linear_bits(
    codes: Float64, labels: Ints, test_codes: Float64, test_labels: Ints, tolerance: float = TOLERANCE
) -> float:
    """Mean −log2 p of the test labels under a logistic regression (ridge of 1, scikit-learn's C)."""
    from sklearn.linear_model import LogisticRegression

    seen = np.unique(labels)
    if len(seen) == 1:
        return 0.0
    model: Any = LogisticRegression(max_iter=ITERATIONS, tol=tolerance).fit(codes, labels)
    logs: NDArray[Any] = model.predict_log_proba(test_codes)
    column = np.searchsorted(model.classes_, test_labels)
    column = np.minimum(column, len(seen) - 1)  # a class that training never saw counts as its neighbour
    return float(-logs[np.arange(len(logs)), column].mean() / np.log(2))


METRIC = Metric(
    name="infomec",
    title="InfoMEC",
    paper="Hsu et al. 2023",
    score=lambda codes, truth, rng, replicates: infomec(codes, truth.factors, rng=rng, replicates=replicates),
    replicates=REPLICATES,
)
