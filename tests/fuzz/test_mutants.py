"""A share of the mutants of mutants.py: nothing is wrong, nothing foreign, nothing slow."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.fuzz import samples
from tests.fuzz.changes import changed
from tests.fuzz.mutants import KINDS, tally_of
from tests.fuzz.verdicts import Slow, Wrong, at_most, judged
from vaecodec.errors import BadMagic

SHARE = 0.01


@pytest.fixture(scope="module", autouse=True)
def installed() -> Iterator[None]:
    with samples.all_installed():
        yield


@pytest.mark.parametrize("name", KINDS)
def test_mutants_are_refused_or_right(name: str) -> None:
    count = min(100, round(KINDS[name].count * SHARE))
    tally = tally_of(name, count, seed=7)
    assert tally.faults == []
    assert tally.right + tally.valid + sum(tally.refused.values()) == tally.mutants == count
    assert tally.refused


def test_there_are_as_many_mutants_as_the_issue_asks_for() -> None:
    def number(words: str) -> int:
        return sum(kind.count for name, kind in KINDS.items() if words in name)

    assert (number("streams"), number("archives"), number("models")) == (100_000, 20_000, 20_000)


def test_the_same_seed_gives_the_same_mutants() -> None:
    made = [[changed([b"abc" * 50, b"xyz"], Random(3)) for _ in range(50)] for _ in range(2)]
    assert made[0] == made[1]


def test_faults_are_counted_as_such() -> None:
    def fail(mutant: object) -> bool:
        raise {0: BadMagic("not ours"), 1: Wrong("another picture"), 2: KeyError("foreign")}[mutant]

    tally = judged(iter([0, 1, 2]), 3, fail, str)
    assert (tally.refused, tally.fault_count, tally.right) == ({"BadMagic": 1}, 2, 0)
    assert [fault["mutant"] for fault in tally.faults] == ["1", "2"]


def test_what_takes_too_long_is_stopped() -> None:
    def work_for_ever() -> None:
        with at_most(0.05):
            while True:
                pass

    with pytest.raises(Slow):
        work_for_ever()
