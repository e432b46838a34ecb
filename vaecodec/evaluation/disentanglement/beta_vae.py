"""The β-VAE score: can a linear classifier tell which factor the pairs shared, from the mean difference of their codes?

Higgins et al. 2017, appendix A.4. It saturates, and true factors that were rotated still have .88: read it beside
its null.
"""

import numpy as np

from vaecodec.evaluation.disentanglement.information import Codes, as_codes, standardise
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.pairs import classify_votes, differences, draw_pairs
from vaecodec.evaluation.disentanglement.records import Measurement
from vaecodec.evaluation.disentanglement.truth import GroundTruth

TRAINING_VOTES, TEST_VOTES = 2_000, 1_000
PAIRS = 64  # L
REPLICATES = 10


def beta_vae_score(
    codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, replicates: int = REPLICATES
) -> Measurement:
    """Accuracy, 1/k for a guess: codes (n, d) in the rows of `truth`."""
    pairs = draw_pairs(truth, TRAINING_VOTES + TEST_VOTES, PAIRS, rng=rng)
    _, features = differences(standardise(as_codes(codes)), pairs)
    return classify_votes(
        "beta-vae",
        "β-VAE score",
        features,
        pairs.factor,
        TRAINING_VOTES,
        rng=rng,
        replicates=replicates,
        settings=(("pairs", PAIRS),),
    )


METRIC = Metric(
    name="beta-vae",
    title="β-VAE score",
    paper="Higgins et al. 2017",
    score=lambda codes, truth, rng, replicates: beta_vae_score(codes, truth, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    least_factors=2,
)
