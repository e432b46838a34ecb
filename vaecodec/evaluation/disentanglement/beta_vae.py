"""The β-VAE score: can a linear classifier tell which factor the pairs shared, from the mean difference of their codes?

Higgins et al. 2017, appendix A.4. It saturates, and true factors that were rotated still have .88: read it beside
its null.
"""

import numpy as np

from vaecodec.evaluation.disentanglement.information import Codes, as_codes, standardise
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.pairs import PAIRS, REPLICATES, VOTES, classify_votes, differences, draw_pairs
from vaecodec.evaluation.disentanglement.records import Measurement, Setting
from vaecodec.evaluation.disentanglement.truth import GroundTruth


def beta_vae_score(
    codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, replicates: int = REPLICATES
) -> Measurement:
    """Accuracy, 1/k for a guess: codes (n, d) in the rows of `truth`."""
    pairs = draw_pairs(truth, VOTES, PAIRS, rng=rng)
    _, means = differences(standardise(as_codes(codes)), pairs)
    features = {"β-VAE score": standardise(means)}
    settings: tuple[Setting, ...] = (("pairs", PAIRS), ("differences", "standardised"))
    return classify_votes("beta-vae", features, pairs.factor, rng=rng, replicates=replicates, settings=settings)


METRIC = Metric(
    name="beta-vae",
    title="β-VAE score",
    paper="Higgins et al. 2017",
    score=lambda codes, truth, rng, replicates: beta_vae_score(codes, truth, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    least_factors=2,
)
