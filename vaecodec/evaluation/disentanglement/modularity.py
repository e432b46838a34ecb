"""Modularity: whether each latent knows of one factor alone, by how far its other informations are from nothing.

Ridgeway & Mozer 2018, "Learning deep disentangled embeddings with the F-statistic loss", section 3.
"""

import numpy as np

from vaecodec.evaluation.disentanglement.counted import REPLICATES, measure_counted
from vaecodec.evaluation.disentanglement.information import BINS, Codes, InformationTable, Ints
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement


def modularity(
    codes: Codes, factors: Ints, *, rng: np.random.Generator, replicates: int = REPLICATES, bins: int = BINS
) -> Measurement:
    """Of codes (n, d) and factors (n, k ≥ 2), 0 to 1; it says nothing of how many latents share a factor."""
    names = ("modularity",)
    return measure_counted("modularity", names, one_factor, codes, factors, rng=rng, replicates=replicates, bins=bins)


def one_factor(table: InformationTable) -> tuple[float]:
    """The mean over latents that know anything of 1 − Σ_{i ≠ best} I_i² / (I_best² (k − 1))."""
    best = table.mutual.max(axis=1)
    squares = np.square(table.mutual[best > 0])
    top = squares.max(axis=1)
    if not len(top):
        return (0.0,)
    return (float((1 - (squares.sum(axis=1) - top) / (top * (squares.shape[1] - 1))).mean()),)


METRIC = Metric(
    name="modularity",
    title="modularity",
    paper="Ridgeway & Mozer 2018",
    score=lambda codes, truth, rng, replicates: modularity(codes, truth.factors, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    least_factors=2,
)
