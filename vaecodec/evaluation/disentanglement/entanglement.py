"""Entanglement in bits: what coding each latent by itself costs above coding them together, ΣH(s_j) − H(s).

ΣH of the symbols ─┬─ less what the images hold at most (dSprites: 19.443 bits)    ──> at least so much, exact
                   ├─ less what a joint model needs on held-out images              ──> at least so much
                   ├─ less Rényi's entropy of whole codes, from collisions          ──> at most so much (95 %)
                   └─ nearest neighbours                                            ──> about so much, for few latents

With the best factorised prior a β-VAE's rate is I(x; z) + this (Hoffman & Johnson 2016, "ELBO surgery"): what a file
pays for entanglement. The true number lies between the largest "at least" and the "at most".
"""

import math
from dataclasses import dataclass

import numpy as np

from vaecodec.evaluation.disentanglement.autoregressive import held_out
from vaecodec.evaluation.disentanglement.collisions import collision_entropy
from vaecodec.evaluation.disentanglement.information import Ints, as_codes, classes
from vaecodec.evaluation.disentanglement.neighbours import neighbour_correlation_bits
from vaecodec.evaluation.disentanglement.records import Interval, Value

MOST_NEIGHBOUR_LATENTS = 20  # beyond them nearest neighbours are about as far as any


@dataclass(frozen=True, slots=True)
class Entanglement:
    """All in bits an image.

    source: None where nobody knows the images' entropy. model: with its 95 % interval over the test images. collisions:
    the high end of its interval is the bound that holds with 95 %. neighbours: None with more than 20 latents.
    """

    n: int
    marginals: Value
    source: Value | None
    model: Value
    collisions: Value
    neighbours: Value | None

    @property
    def bounds(self) -> Interval:
        """From the larger of the lower bounds to the upper one, which sampling may push past each other by a little."""
        low = max(value.value for value in (self.source, self.model) if value is not None)
        return Interval(max(0.0, low), max(low, 0.0, self.collisions.reach.high))


def entanglement(
    symbols: Ints, *, rng: np.random.Generator, source_bits: float | None = None, population: int | None = None
) -> Entanglement:
    """Of symbols (n, d).

    source_bits: the entropy of the images, where it is known. population: of how many equally likely ones these
    images are different members (see collision_entropy); None for independent draws.
    """
    kept = as_codes(symbols)
    marginals = marginal_bits(kept)
    codes = collision_entropy(kept, population=population)
    saved, saved_interval = held_out(kept, rng=rng).saved(rng)
    near = kept.shape[1] <= MOST_NEIGHBOUR_LATENTS
    return Entanglement(
        n=len(kept),
        marginals=Value("ΣH", marginals, None, "bits"),
        source=None if source_bits is None else Value("ΣH − source", marginals - source_bits, None, "bits"),
        model=Value("ΣH − joint model", saved, saved_interval, "bits"),
        collisions=_at_most(marginals, codes.bits, codes.interval),
        neighbours=Value("neighbours", neighbour_correlation_bits(kept, rng=rng), None, "bits") if near else None,
    )


def marginal_bits(symbols: Ints) -> float:
    """ΣH of the latents in bits, each with Miller and Madow's correction for counting (Miller 1955)."""
    total = 0.0
    for column in classes(symbols).T:
        counts = np.bincount(column).astype(np.float64)
        n, seen = counts.sum(), counts[counts > 0]
        total += math.log2(n) - float((seen * np.log2(seen)).sum() / n) + (len(seen) - 1) / (2 * n * math.log(2))
    return total


def _at_most(marginals: float, bits: float, interval: Interval) -> Value:
    """ΣH − Rényi's entropy; where nothing collided, the bound that 95 % confidence leaves."""
    high = marginals - interval.low
    low = marginals - min(interval.high, marginals)
    value = marginals - bits if math.isfinite(bits) else high
    return Value("ΣH − collisions", value, Interval(min(low, value), max(high, value)), "bits")
