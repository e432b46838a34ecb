"""MED: DCI's disentanglement, with mutual information in the place of a predictor's importances. Robust to dimension.

Cao, Nai, Yang, Huang, Gao 2022, "An empirical study on disentanglement of negative-free contrastive learning",
section 4.1.
"""

import numpy as np

from vaecodec.evaluation.disentanglement.counted import REPLICATES, measure_counted
from vaecodec.evaluation.disentanglement.dci import disentanglement
from vaecodec.evaluation.disentanglement.information import BINS, Codes, InformationTable, Ints
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement


def med(
    codes: Codes, factors: Ints, *, rng: np.random.Generator, replicates: int = REPLICATES, bins: int = BINS
) -> Measurement:
    """Of codes (n, d) and factors (n, k ≥ 2), 0 to 1."""
    return measure_counted("med", ("MED",), shared, codes, factors, rng=rng, replicates=replicates, bins=bins)


def shared(table: InformationTable) -> tuple[float]:
    """DCI's D of the shares I / H(factor), so that a factor of many classes counts as much as one of few."""
    return (disentanglement(table.shares),)


METRIC = Metric(
    name="med",
    title="disentanglement by mutual information",
    paper="Cao et al. 2022",
    score=lambda codes, truth, rng, replicates: med(codes, truth.factors, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    least_factors=2,
)
