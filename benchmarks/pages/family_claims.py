"""What the paper says of its systems, beside the numbers: the verdicts of vaecodec/evaluation/report as Markdown.

results folder --read_results--> runs --judge_all--> verdicts --claims--> lines of one data set
                                                              --claim_table--> all of them, for docs/paper.md
"""

from pathlib import Path

from vaecodec.errors import DatasetMissing
from vaecodec.evaluation.report import claims_beta, claims_families
from vaecodec.evaluation.report.claim import Finding, Judged, Number
from vaecodec.evaluation.report.claims import judge_all
from vaecodec.evaluation.report.page import fixed
from vaecodec.evaluation.results.stored import read_results

# The paper's Table 1, shortened: strengths; weakness; accuracy.
SAID = {
    "vae": "good for simple data; entangled; moderate",
    "hfvae": "organises the latents; generalises badly; high",
    "decomposition": "theory and measures; may cost reconstruction; high",
    "modified-beta-vae": "excels in both, lower loss; β to be tuned; high",
    "nvae": "complex patterns; much computing, may overfit; moderate",
}
OF_TRAININGS = {claim.key for claim in (*claims_beta.CLAIMS, *claims_families.CLAIMS)}  # the others are of latents


def claims(folder: Path, data: str) -> list[str]:
    """A line for each claim about trainings that this data set says something of; none without results."""
    try:
        found = judge_all(read_results(folder))
    except DatasetMissing:
        return []
    return [
        line(one, finding)
        for one in found
        for finding in one.findings
        if one.claim.key in OF_TRAININGS and finding.data == data
    ]


def claim_table(folder: Path) -> str:
    """Every claim of the paper with its verdict, for docs/paper.md."""
    rows = []
    for one in judge_all(read_results(folder)):
        said = [f"{finding.data}: {finding.verdict.value}" for finding in one.findings if finding.data]
        why = "; ".join(said) or one.findings[0].why
        rows.append((one.claim.meaning, one.claim.where, f"**{one.verdict.value}**", why))
    head = ("claim, in our words", "where in the paper", "verdict", "by data set, or why not")
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def line(one: Judged, finding: Finding) -> str:
    """The claim in our words, the verdict, why, and the numbers."""
    numbers = "; ".join(map(shown_number, finding.numbers))
    meaning = one.claim.meaning.rstrip(".")
    return (
        f"{meaning} ({one.claim.where}): **{finding.verdict.value}**. {finding.why}{f' {numbers}.' if numbers else ''}"
    )


def shown_number(number: Number) -> str:
    """A number with its unit and interval."""
    text = f"{number.name} {fixed(number.value, number.digits)}{f' {number.unit}' if number.unit else ''}"
    if number.interval is None:
        return text
    return f"{text} [{fixed(number.interval.low, number.digits)}, {fixed(number.interval.high, number.digits)}]"
