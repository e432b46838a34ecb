"""The paper's claims, all of them, in the order of what they are about. A new one is a line in one of these files."""

from vaecodec.evaluation.report import claims_beta, claims_families, claims_latents
from vaecodec.evaluation.report.claim import Claim, Judged, judged
from vaecodec.evaluation.results.stored import Results

CLAIMS: tuple[Claim, ...] = (*claims_latents.CLAIMS, *claims_beta.CLAIMS, *claims_families.CLAIMS)


def judge_all(results: Results) -> list[Judged]:
    """Every claim with its verdict."""
    return [judged(claim, results) for claim in CLAIMS]
