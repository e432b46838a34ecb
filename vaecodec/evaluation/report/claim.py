"""A claim of the paper and what was found about it.

Claim (where, meaning in our words, judge) ──results──> Finding a data set: verdict, why, numbers ──> Judged
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from vaecodec.evaluation.disentanglement.records import Interval
from vaecodec.evaluation.results.noise import Estimate
from vaecodec.evaluation.results.stored import Results


class Verdict(Enum):
    """Of a claim. Not decided: measured, and the numbers allow both. Not testable: nothing measured could say."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NOT_DECIDED = "not decided"
    NOT_TESTABLE = "not testable"


@dataclass(frozen=True, slots=True)
class Number:
    """One number behind a verdict, with its 95 % interval where it has one; digits after the point are for display."""

    name: str
    value: float
    unit: str = ""
    interval: Interval | None = None
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """What one data set says of a claim."""

    data: str
    verdict: Verdict
    why: str
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """where: section of the paper. meaning: what it says, in our words. judge: a finding for each data set."""

    key: str
    where: str
    meaning: str
    judge: Callable[[Results], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with its findings."""

    claim: Claim
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """What all data sets that decide say; not decided where they disagree or none does."""
        said = {finding.verdict for finding in self.findings}
        decided = said & {Verdict.CONFIRMED, Verdict.CONTRADICTED}
        if len(decided) == 1:
            return decided.pop()
        return Verdict.NOT_TESTABLE if said <= {Verdict.NOT_TESTABLE} else Verdict.NOT_DECIDED


def judged(claim: Claim, results: Results) -> Judged:
    """The claim, judged by what was measured."""
    return Judged(claim, tuple(claim.judge(results)))


def untestable(why: str) -> Callable[[Results], Sequence[Finding]]:
    """The judge of a claim that no measurement here could decide."""
    return lambda results: [Finding("", Verdict.NOT_TESTABLE, why)]


def side(interval: Interval, *, wanted_above: bool, of: float = 0.0) -> Verdict:
    """Confirmed where the interval lies wholly on the claimed side of a value, contradicted where on the other."""
    if interval.low <= of <= interval.high:
        return Verdict.NOT_DECIDED
    return Verdict.CONFIRMED if (interval.low > of) == wanted_above else Verdict.CONTRADICTED


def shown(name: str, found: Estimate, unit: str = "", digits: int = 2) -> Number:
    """An estimate as a number of a finding."""
    return Number(name, found.value, unit, found.interval, digits)
