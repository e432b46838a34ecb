"""The FactorVAE score: does the latent that varies least, in images that share one factor, say which factor that is?

factor f, 64 rows with one value of it ──> variances of the codes / variances over all ──argmin──> a vote (latent, f)
votes ──for each latent its most frequent factor──> accuracy on votes that did not choose

Kim & Mnih 2018, "Disentangling by factorising", section 4. Constant latents have no vote (they would win every one).
"""

from dataclasses import dataclass

import numpy as np

from vaecodec.evaluation.disentanglement.bootstrap import Numbers, Rows, measurement, replicate_split
from vaecodec.evaluation.disentanglement.information import Codes, Float64, Ints, as_codes, standardise
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement
from vaecodec.evaluation.disentanglement.truth import GroundTruth

TRAINING_VOTES, TEST_VOTES = 3_000, 1_500
BATCH = 64
AT_ONCE = 250  # batches: some ten MB
REPLICATES = 50


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """latent: the one that varied least; factor: the one that was fixed; (votes,) each."""

    latent: Ints
    factor: Ints


def factor_vae_score(
    codes: Codes, truth: GroundTruth, *, rng: np.random.Generator, replicates: int = REPLICATES
) -> Measurement:
    """Accuracy, 1/k for a guess: codes (n, d) in the rows of `truth`."""
    factor, rows = draw_batches(truth, TRAINING_VOTES + TEST_VOTES, rng)
    kept = standardise(as_codes(codes))
    votes = Votes(least_varied(kept, rows), factor)

    def of(train: Rows, test: Rows) -> Numbers:
        return (majority_accuracy(votes, train, test, kept.shape[1], truth.count),)

    return measurement(
        "factor-vae",
        ("FactorVAE score",),
        of(np.arange(TRAINING_VOTES), np.arange(TRAINING_VOTES, len(factor))),
        replicate_split(of, TRAINING_VOTES, len(factor), replicates, rng),
        n=len(factor),
        settings=[("predictor", "majority vote"), ("training votes", TRAINING_VOTES), ("batch", BATCH)],
    )


def draw_batches(truth: GroundTruth, votes: int, rng: np.random.Generator) -> tuple[Ints, Rows]:
    """A factor at random (votes,), and rows (votes, 64) that share one value of it."""
    factor = rng.integers(0, truth.count, votes)
    first = truth.any_rows((votes, 1), rng)
    shape = (votes, BATCH)
    rows = truth.alike(np.broadcast_to(first, shape), np.broadcast_to(factor[:, None], shape), rng)
    return factor, rows


def least_varied(codes: Float64, rows: Rows) -> Ints:
    """The latent of standardised codes (n, d) with the smallest variance in each batch of rows, (votes,)."""
    parts = [codes[rows[at : at + AT_ONCE]].var(axis=1).argmin(axis=1) for at in range(0, len(rows), AT_ONCE)]
    return np.asarray(np.concatenate(parts), dtype=np.int64)


def majority_accuracy(votes: Votes, train: Rows, test: Rows, latents: int, factors: int) -> float:
    """Each latent stands for the factor that most training votes give it, the first of equals."""
    table = np.zeros((latents, factors), dtype=np.int64)
    np.add.at(table, (votes.latent[train], votes.factor[train]), 1)
    return float((table.argmax(axis=1)[votes.latent[test]] == votes.factor[test]).mean())


METRIC = Metric(
    name="factor-vae",
    title="FactorVAE score",
    paper="Kim & Mnih 2018",
    score=lambda codes, truth, rng, replicates: factor_vae_score(codes, truth, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    least_factors=2,
)
