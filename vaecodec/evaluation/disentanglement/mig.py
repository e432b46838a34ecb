"""MIG, the mutual information gap: how much more of each factor the best latent knows than the second best.

Chen, Li, Grosse, Duvenaud 2018, "Isolating sources of disentanglement in VAEs", eq. 6.
"""

import numpy as np

from vaecodec.evaluation.disentanglement.counted import REPLICATES, measure_counted
from vaecodec.evaluation.disentanglement.information import BINS, Codes, InformationTable, Ints, largest_two
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement


def mig(
    codes: Codes, factors: Ints, *, rng: np.random.Generator, replicates: int = REPLICATES, bins: int = BINS
) -> Measurement:
    """Of codes (n, d) and factors (n, k), 0 to 1. With 20 bins true factors of dSprites have 0.90, not 1."""
    return measure_counted("mig", ("MIG",), gap, codes, factors, rng=rng, replicates=replicates, bins=bins)


def gap(table: InformationTable) -> tuple[float]:
    """The mean over the factors of (I_first − I_second) / H(factor)."""
    first, second = largest_two(table.mutual)
    return (float(((first - second) / table.factors).mean()),)


METRIC = Metric(
    name="mig",
    title="mutual information gap",
    paper="Chen et al. 2018",
    score=lambda codes, truth, rng, replicates: mig(codes, truth.factors, rng=rng, replicates=replicates),
    replicates=REPLICATES,
)
