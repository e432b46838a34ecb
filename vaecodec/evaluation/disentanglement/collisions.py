"""The entropy of whole codes from how often two images have the same one, without any model of the code.

symbols (n, d) ──equal rows──> P(two images agree) ──−log2──> Rényi's entropy of order 2 ≤ Shannon's

It needs √(support) images, not support: 60,000 images see 19 bits to a hundredth of a bit. It is a *lower* bound of
the joint entropy (so an upper bound of entanglement), and tight where codes are about equally likely, as dSprites'
are. Where nothing collides there is still a bound with 95 % confidence: a code that is drawn more often would have
been seen twice.
"""

import math
from dataclasses import dataclass

import numpy as np

from vaecodec.evaluation.disentanglement.information import Ints
from vaecodec.evaluation.disentanglement.records import Interval

NORMAL_95 = 1.96
# Atoms of probability x/n that stay without a pair have P_2 n² = x² each; the worst case that happens with 5 % chance
# is one atom: (1 + x) e^−x = .05 at x = 4.74. Many small ones give 6.
MOST_UNSEEN = 4.744**2


@dataclass(frozen=True, slots=True)
class CollisionEntropy:
    """bits: −log2 of the collision probability, inf where nothing collided. interval: 95 %, its high end may be inf."""

    bits: float
    interval: Interval
    collisions: int
    n: int


def collision_entropy(symbols: Ints, *, population: int | None = None) -> CollisionEntropy:
    """Of symbols (n, d), one row an image.

    population: where the images are different members of so many equally likely ones (drawn without replacement), how
    many there are: two independent draws agree with chance 1/N because they are the same image, and otherwise as two
    different images do. None: the images are independent draws. Raises ValueError for fewer than two images.
    """
    n = len(symbols)
    if n < 2:
        raise ValueError(f"collisions: expected two images or more, found {n}")
    counts = np.unique(symbols, axis=0, return_counts=True)[1].astype(np.float64)
    pairs = n * (n - 1) / 2
    hits = float((counts * (counts - 1) / 2).sum())
    rate = hits / pairs
    if hits:
        # Variance of a U-statistic of order 2: 4 Var(p(code)) / n + 2 P / n²; p(code) from the other images.
        others = (counts - 1) / (n - 1)
        variance_of_p = max(0.0, float((counts * np.square(others)).sum()) / n - rate**2)
        reach = NORMAL_95 * math.sqrt(4 * variance_of_p / n + 2 * rate / n**2)
        low, high = max(0.0, rate - reach), rate + reach
    else:
        low, high = 0.0, min(1.0, MOST_UNSEEN / n**2)
    same = 0.0 if population is None else 1 / population
    bits = [_bits(same + (1 - same) * p) for p in (rate, high, low)]
    return CollisionEntropy(bits[0], Interval(bits[1], bits[2]), round(hits), n)


def _bits(probability: float) -> float:
    return -math.log2(probability) if probability > 0 else math.inf
