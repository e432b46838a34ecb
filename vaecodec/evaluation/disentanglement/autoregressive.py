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
LEAST_WEIGHT = 1e-4  # what the forest has never seen keeps a chance by the histogram


@dataclass(frozen=True, slots=True)
class Parts:
    """How many rows, in this order, train, choose the weights, and are counted; the latter two are held out."""

    train: int
    validation: int
    test: int

    @classmethod
    def of(cls, n: int) -> "Parts":
        """70, 10 and 20 %."""
        test, validation = int(TEST_SHARE * n), int(VALIDATION_SHARE * n)
        return cls(n - test - validation, validation, test)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Test images (m) of d latents: labels (m, d), each latent's classes from 0.

    joint: of each latent P(class | the latents before it), (m, K_j). alone: its histogram (K_j,).
    """

    labels: Ints
    joint: tuple[Float64, ...]
    alone: tuple[Float64, ...]

    @property
    def joint_bits(self) -> Float64:
        """−log2 P of each latent of each image given those before it, (m, d)."""
        rows = np.arange(len(self.labels))
        return np.asarray(-np.log2(np.stack([p[rows, self.labels[:, j]] for j, p in enumerate(self.joint)], axis=1)))

    @property
    def alone_bits(self) -> Float64:
        """The same by histograms."""
        return np.asarray(-np.log2(np.stack([p[self.labels[:, j]] for j, p in enumerate(self.alone)], axis=1)))

    def saved(self, rng: np.random.Generator) -> tuple[float, Interval]:
        """(bits an image that the joint code saves, 95 % over the test images)."""
        each = (self.alone_bits - self.joint_bits).sum(axis=1)
        again = np.array([each[rng.integers(0, len(each), len(each))].mean() for _ in range(RESAMPLES)])
        return float(each.mean()), spread_interval(float(each.mean()), again)


def held_out(symbols: Codes, *, rng: np.random.Generator, rows: int = ROWS) -> HeldOut:
    """Of whole symbols (n, d), at most `rows` of them; fewer where there are more than 15 latents.

    Raises ValueError for floats.
    """
    if symbols.dtype.kind not in "iu":
        raise ValueError(f"symbols: expected whole numbers, found {symbols.dtype}")
    varied = as_codes(symbols)
    kept = varied[rng.permutation(len(varied))[: min(rows, ROWS_TIMES_LATENTS // varied.shape[1])]]
    parts, labels, seed = Parts.of(len(kept)), classes(kept), int(rng.integers(2**31))
    joint, alone = [], []
    for j in range(kept.shape[1]):
        histogram = _histogram(labels[:, j], parts)
        experts = [np.tile(histogram, (parts.validation + parts.test, 1))]
        if j:
            experts += _experts(kept[:, :j], kept[:, j], labels[:, j], parts, seed + j)
        joint.append(_mixed(experts, labels[parts.train :, j], parts))
        alone.append(histogram)
    return HeldOut(labels[parts.train + parts.validation :], tuple(joint), tuple(alone))


def _histogram(labels: Ints, parts: Parts) -> Float64:
    """(K,): shares of the training rows' labels, each counted half a time more (Krichevsky & Trofimov 1981)."""
    counts = np.bincount(labels[: parts.train], minlength=int(labels.max()) + 1) + 0.5
    return np.asarray(counts / counts.sum())


def _experts(before: Ints, symbol: Ints, labels: Ints, parts: Parts, seed: int) -> list[Float64]:
    """P of each label for the held-out rows by the line and by the forest, (h, K) each."""
    x = before.astype(np.float64)
    center, scale = x[: parts.train].mean(axis=0), x[: parts.train].std(axis=0)
    x = (x - center) / np.where(scale > 0, scale, 1)
    predicted = _line(x, symbol, parts)
    return [
        _gaussian(predicted, symbol, parts),
        _forest(np.column_stack([x, predicted]), labels, parts, seed),
    ]


def _line(x: Float64, symbol: Ints, parts: Parts) -> Float64:
    """The least-squares prediction of the symbol, of all rows (n,)."""
    design = np.column_stack([np.ones(len(x)), x])
    inner = design[: parts.train]
    gram = inner.T @ inner + RIDGE * np.eye(design.shape[1])
    return np.asarray(design @ np.linalg.solve(gram, inner.T @ symbol[: parts.train]))


def _gaussian(predicted: Float64, symbol: Ints, parts: Parts) -> Float64:
    """A normal density about the prediction, over the values that there are."""
    from scipy.special import ndtr

    deviation = max(float(np.std((symbol - predicted)[: parts.train])), 1e-3)
    edges = (np.unique(symbol) - predicted[parts.train :, None]) / deviation
    half = 0.5 / deviation
    mass = np.maximum(ndtr(edges + half) - ndtr(edges - half), 1e-12)
    return np.asarray(mass / mass.sum(axis=1, keepdims=True))


def _forest(x: Float64, labels: Ints, parts: Parts, seed: int) -> Float64:
    """What the training rows have in the leaves that a row falls into."""
    from sklearn.ensemble import ExtraTreesClassifier

    forest: Any = ExtraTreesClassifier(
        TREES, min_samples_leaf=LEAST_IN_LEAF, max_features=None, random_state=seed, n_jobs=1
    ).fit(x[: parts.train], labels[: parts.train])
    table = np.zeros((parts.validation + parts.test, int(labels.max()) + 1))
    table[:, forest.classes_] = forest.predict_proba(x[parts.train :])
    return table


def _mixed(experts: list[Float64], labels: Ints, parts: Parts) -> Float64:
    """The mixture for the test rows, (m, K); its weights by EM on the validation rows."""
    rows = np.arange(parts.validation)
    chosen = np.stack([expert[rows, labels[: parts.validation]] for expert in experts], axis=1)
    weights = np.full(len(experts), 1 / len(experts))
    for _ in range(ROUNDS):
        shares = chosen * weights
        weights = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    weights = np.maximum(weights, LEAST_WEIGHT)
    mixed = sum(w * expert[parts.validation :] for w, expert in zip(weights / weights.sum(), experts, strict=True))
    return np.asarray(mixed)
