"""Section 3.6 of the paper: pairs of images that share one factor, and the difference Δz of their latents.

factor f ──> pairs of rows alike in f ──> pictures side by side, ½ Σ |z1 − z2| over the latents below each pair
"""

import numpy as np

from vaecodec.errors import ConfigError
from vaecodec.evaluation.disentanglement.pairs import half_sum_difference
from vaecodec.evaluation.figures.sheet import Row, Sheet, Tile
from vaecodec.evaluation.figures.subject import Sources

PAIRS = 5


def pairs(sources: Sources, *, seed: int = 0) -> Sheet:
    """A row a factor, of the first subject. Raises ConfigError for images without factors."""
    subject = sources.need_subjects()[0]
    truth = subject.truth
    if truth is None:
        raise ConfigError(f"{subject.name}: pairs need images whose factors are known")
    rng, means, rows = np.random.default_rng(seed), subject.codes.means, []
    for factor, name in enumerate(truth.names):
        first = truth.any_rows((PAIRS,), rng)
        second = truth.alike(first, np.full(PAIRS, factor), rng)
        differences = half_sum_difference(means[first][:, :, None], means[second][:, :, None])[:, 0]
        tiles: list[Tile] = []
        for a, b, difference in zip(first, second, differences, strict=True):
            tiles += [Tile(subject.images[a]), Tile(subject.images[b], float(difference), "Δz", 2)]
        rows.append(Row(f"the same {name}", tuple(tiles)))
    note = (
        "Equation 2 to the letter, over the latents of one pair: ½ Σ |z₁ − z₂|, below the second picture of each. Read "
        "over pairs it gives one number a latent, from which `vaecodec pairs` lets a linear classifier tell the factor."
    )
    return Sheet(f"Pairs that share one factor: {subject.name}", tuple(rows), note)
