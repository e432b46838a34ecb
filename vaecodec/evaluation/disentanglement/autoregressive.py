"""How many bits a joint code of the symbols would take: a model that sees the latents before each latent, held out.

s_1 … s_{j−1} ──┬─ line + Gaussian remainder ─┐
                ├─ forest of extra trees ─────┼─ mixed (weights by EM on validation rows) ──> −log2 P(s_j | …)
                └─ nothing: s_j's histogram ──┘                                                Σ_j: bits of a test image

Any model's held-out bits are an upper bound of the joint entropy (on average over images): Σ H less them is a
*lower* bound of the total correlation, in bits that a coder can really save (a joint prior with these
probabilities). The line is right for Gaussians, the forest (Geurts, Ernst, Wehenkel 2006) for curved and clustered
codes; the line's prediction is one of its inputs.

Where it fails: structure that no local model learns from the rows given, such as a fine lattice in rotated
coordinates or an image's exact place in a code of 19 bits: then it says too little, never too much.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaecodec.evaluation.disentanglement.bootstrap import spread_interval
from vaecodec.evaluation.disentanglement.information import Codes, Float64, Ints, as_codes, classes
from vaecodec.evaluation.disentanglement.records import Interval

ROWS = 20_000
ROWS_TIMES_LATENTS = 300_000  # the forests' time grows with rows · latents²
TREES = 30
LEAST_IN_LEAF = 5
VALIDATION_SHARE, TEST_SHARE = 0.1, 0.2
ROUNDS = 100  # of EM: three weights, long converged
RIDGE = 1e-3
RESAMPLES = 50


@dataclass(frozen=True, slots=True)
class Parts:
    """Rows of three uses."""

    train: slice
    validation: slice
    test: slice


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutBits:
    """bits: (m, d), of each latent of each test image given those before it. alone: the same by its histogram."""

    bits: Float64
    alone: Float64

    @property
    def joint(self) -> float:
        """Bits an image of the joint code."""
        return float(self.bits.sum(axis=1).mean())

    @property
    def factorised(self) -> float:
        """Bits an image where each latent is coded by itself, on the same test images."""
        return float(self.alone.sum(axis=1).mean())

    def saved(self, rng: np.random.Generator) -> tuple[float, Interval]:
        """(bits an image that the joint code saves, 95 % over the test images)."""
        each = (self.alone - self.bits).sum(axis=1)
        again = np.array([each[rng.integers(0, len(each), len(each))].mean() for _ in range(RESAMPLES)])
        return float(each.mean()), spread_interval(float(each.mean()), again)


def held_out_bits(symbols: Codes, *, rng: np.random.Generator, rows: int = ROWS) -> HeldOutBits:
    """Of whole symbols (n, d), at most `rows` of them: 70 % train, 10 % choose weights, 20 % are counted.

    Fewer rows where there are more than 15 latents. Raises ValueError for floats.
    """
    if symbols.dtype.kind not in "iu":
        raise ValueError(f"symbols: expected whole numbers, found {symbols.dtype}")
    varied = as_codes(symbols)
    kept = varied[rng.permutation(len(varied))[: min(rows, ROWS_TIMES_LATENTS // varied.shape[1])]]
    n = len(kept)
    test, validation = n - int(TEST_SHARE * n), n - int((TEST_SHARE + VALIDATION_SHARE) * n)
    parts = Parts(slice(validation), slice(validation, test), slice(test, n))
    labels = classes(kept)
    seed = int(rng.integers(2**31))
    joint, alone = [], []
    for j in range(kept.shape[1]):
        histogram = _histogram(labels[:, j], parts)
        experts = [histogram]
        if j:
            experts += _experts(kept[:, :j], kept[:, j], labels[:, j], parts, seed + j)
        joint.append(_mixed_bits(np.stack(experts, axis=1), parts))
        alone.append(-np.log2(histogram[parts.test]))
    return HeldOutBits(np.stack(joint, axis=1), np.stack(alone, axis=1))


def _histogram(labels: Ints, parts: Parts) -> Float64:
    """(n,): P of each row's label by the training rows' counts, each half a count more (Krichevsky & Trofimov)."""
    counts = np.bincount(labels[parts.train], minlength=int(labels.max()) + 1) + 0.5
    return np.asarray((counts / counts.sum())[labels])


def _experts(before: Ints, symbol: Ints, labels: Ints, parts: Parts, seed: int) -> list[Float64]:
    """P of each row's label by the line and by the forest, (n,) each; training rows count for nothing."""
    x = before.astype(np.float64)
    center, scale = x[parts.train].mean(axis=0), x[parts.train].std(axis=0)
    x = (x - center) / np.where(scale > 0, scale, 1)
    predicted = _line(x, symbol, parts)
    line = _gaussian(predicted, symbol, labels, parts)
    return [line, _forest(np.column_stack([x, predicted]), labels, parts, seed)]


def _line(x: Float64, symbol: Ints, parts: Parts) -> Float64:
    """The least-squares prediction of the symbol (n,)."""
    design = np.column_stack([np.ones(len(x)), x])
    inner = design[parts.train]
    gram = inner.T @ inner + RIDGE * np.eye(design.shape[1])
    return np.asarray(design @ np.linalg.solve(gram, inner.T @ symbol[parts.train]))


def _gaussian(predicted: Float64, symbol: Ints, labels: Ints, parts: Parts) -> Float64:
    """P of the symbol under a normal density about its prediction, over the values that there are, (n,)."""
    from scipy.special import ndtr

    deviation = max(float(np.std((symbol - predicted)[parts.train])), 1e-3)
    values = np.unique(symbol)
    edges = (values - predicted[:, None]) / deviation
    half = 0.5 / deviation
    mass = np.maximum(ndtr(edges + half) - ndtr(edges - half), 1e-12)
    return np.asarray(mass[np.arange(len(labels)), labels] / mass.sum(axis=1))


def _forest(x: Float64, labels: Ints, parts: Parts, seed: int) -> Float64:
    """P of the label by the leaves that a row falls into, (n,), 0 on training rows."""
    from sklearn.ensemble import ExtraTreesClassifier

    forest: Any = ExtraTreesClassifier(
        TREES, min_samples_leaf=LEAST_IN_LEAF, max_features=None, random_state=seed, n_jobs=1
    ).fit(x[parts.train], labels[parts.train])
    found = np.zeros(len(labels))
    held = slice(parts.validation.start, None)
    table = np.zeros((len(labels[held]), int(labels.max()) + 1))
    table[:, forest.classes_] = forest.predict_proba(x[held])
    found[held] = table[np.arange(len(table)), labels[held]]
    return found


def _mixed_bits(experts: Float64, parts: Parts) -> Float64:
    """−log2 of the mixture of experts (n, e) on the test rows; weights by EM on the validation rows."""
    chosen = experts[parts.validation]
    weights = np.full(experts.shape[1], 1 / experts.shape[1])
    for _ in range(ROUNDS):
        shares = chosen * weights
        weights = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    weights = np.maximum(weights, 1e-4)  # whatever is ruled out by one expert keeps a chance
    return np.asarray(-np.log2(experts[parts.test] @ (weights / weights.sum())))
