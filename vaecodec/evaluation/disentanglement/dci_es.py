"""DCI-ES: how little a predictor must be able to do to read the factors (explicitness), and how small the code is
(size).

codes ──linear; with 16, 64, 256, 1024 random Fourier features──> held-out loss by capacity ──> E = 1 − area/triangle
symbols ──ΣH──> bits of the code                                        latents, bits ──> S

    loss │ baseline ─ ─ ┐ triangle: loss falls in a straight line from the baseline (E 0)
         │ ╲            ·
         │  ╲______ area above the lowest loss (E 1 where the least capacity reaches it at once)
         └──────────── capacity

Eastwood, Nicolicioiu, von Kügelgen, Kekić, Träuble, Dittadi, Schölkopf 2023, "DCI-ES: an extended disentanglement
framework with connections to identifiability", sections 3.1 and 3.2; random features: Rahimi & Recht 2007. Their
size is counted in dimensions; a codec's code has a size in bits too, which is what a user pays. Explicitness is
nearly the same for all rotations of a code: like InfoE it says nothing about axes.
"""

import math
from dataclasses import dataclass

import numpy as np

from vaecodec.evaluation.disentanglement.bootstrap import Numbers, Rows, measurement, replicate_split, take_rows
from vaecodec.evaluation.disentanglement.information import (
    Codes,
    Float64,
    Ints,
    as_codes,
    classes,
    column_entropies,
    standardise,
)
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement
from vaecodec.evaluation.disentanglement.truth import GroundTruth

TRAINING_ROWS, TEST_ROWS = 3_000, 2_000
FEATURES = (0, 16, 64, 256, 1024)  # random ones, beside the latents themselves; capacity is log2(1 + features)
RIDGE = 1e-2  # of a training row
REPLICATES = 5
NAMES = ("DCI-ES E", "DCI-ES S", "DCI-ES S, bits", "code")


@dataclass(frozen=True, slots=True, eq=False)
class LossCurve:
    """Held-out losses (t,) of one factor by capacity, as shares of the loss of a constant."""

    losses: Float64

    @property
    def explicitness(self) -> float:
        """1 − (area above the lowest loss up to where it is reached) / (triangle below the baseline)."""
        best = int(self.losses.argmin())
        lowest = float(self.losses[best])
        if lowest >= 1:
            return 0.0  # nothing is read: no capacity beats a constant
        if best == 0:
            return 1.0
        capacity = np.log2(1 + np.array(FEATURES[: best + 1]))
        steps = np.diff(capacity)
        area = float(((self.losses[:best] + self.losses[1 : best + 1]) / 2 - lowest) @ steps)
        return 1 - area / (0.5 * float(capacity[-1] - capacity[0]) * (1 - lowest))


def dci_es(codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, replicates: int = REPLICATES) -> Measurement:
    """E, S = k/d (of latents that vary), and for symbols S = ΣH(factors)/ΣH(symbols) and ΣH(symbols) itself."""
    rows = take_rows(len(codes), TRAINING_ROWS + TEST_ROWS, rng)
    raw = as_codes(codes[rows])
    inputs = random_features(standardise(raw), rng)
    targets = [_target(column, order) for column, order in zip(truth.factors[rows].T, truth.ordered, strict=True)]
    cut = len(rows) * TRAINING_ROWS // (TRAINING_ROWS + TEST_ROWS)
    sizes = _sizes(raw, truth.factors[rows])

    def of(train: Rows, test: Rows) -> Numbers:
        curves = loss_curves(inputs, targets, raw.shape[1], train, test)
        return (float(np.mean([curve.explicitness for curve in curves])), *sizes)

    return measurement(
        "dci-es",
        NAMES[: 1 + len(sizes)],
        of(np.arange(cut), np.arange(cut, len(rows))),
        replicate_split(of, cut, len(rows), replicates, rng),
        n=len(rows),
        settings=[("predictor", f"ridge, {FEATURES[-1]} random Fourier features"), ("training rows", cut)],
        units=("", "", "", "bits"),
    )


def _sizes(codes: Codes, factors: Ints) -> Numbers:
    share = factors.shape[1] / codes.shape[1]
    if codes.dtype.kind == "f":
        return (share,)  # a float has no size in bits
    bits = float(column_entropies(classes(codes)).sum())
    return share, float(column_entropies(factors).sum()) / bits, bits


def random_features(codes: Float64, rng: np.random.Generator) -> Float64:
    """(n, 1 + d + 1024): a one, the latents, and √2 cos(w·z + b) with w of deviation 1/√d."""
    w = rng.standard_normal((codes.shape[1], FEATURES[-1])) / math.sqrt(codes.shape[1])
    waves = math.sqrt(2) * np.cos(codes @ w + rng.uniform(0, 2 * np.pi, FEATURES[-1]))
    return np.concatenate([np.ones((len(codes), 1)), codes, waves], axis=1)


def _target(column: Ints, ordered: bool) -> Float64:
    """(n, 1) standardised where ordered, else one column for each class."""
    if ordered:
        return standardise(column[:, None].astype(np.float64))
    return np.asarray(column[:, None] == np.unique(column), dtype=np.float64)


def loss_curves(inputs: Float64, targets: list[Float64], d: int, train: Rows, test: Rows) -> list[LossCurve]:
    """One curve for each target: squared error of ridge regression on the test rows."""
    together = np.concatenate(targets, axis=1)
    x, y, test_x, test_y = inputs[train], together[train], inputs[test], together[test]
    gram, right = x.T @ x, x.T @ y
    constant = np.square(test_y - y.mean(axis=0)).sum(axis=0)
    rows = []
    for features in FEATURES:
        m = 1 + d + features
        weights = np.linalg.solve(gram[:m, :m] + RIDGE * len(x) * np.eye(m), right[:m])
        rows.append(np.square(test_y - test_x[:, :m] @ weights).sum(axis=0))
    errors, curves, start = np.array(rows), [], 0
    for target in targets:
        part = slice(start, start + target.shape[1])
        curves.append(LossCurve(errors[:, part].sum(axis=1) / constant[part].sum()))
        start = part.stop
    return curves


METRIC = Metric(
    name="dci-es",
    title="explicitness and size",
    paper="Eastwood et al. 2023",
    score=lambda codes, truth, rng, replicates: dci_es(codes, truth, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    sees_axes=False,
)
