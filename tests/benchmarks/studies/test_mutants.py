"""Mutants: which are drawn, what is said of them, and that a test which fails is what notices one."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("cosmic_ray")

from benchmarks import mutation
from benchmarks.measuring.machine import ROOT
from benchmarks.studies.mutants import Judge, Mutant, Outcome, copy_of_checkout, drawn, files_of, mutants_of

FILE = "vaecodec/exact/ranges.py"
DIFF = "--- a\n+++ b\n@@ -1 +1 @@\n-if reach.max() >= LIMIT:\n+if reach.max() > LIMIT:\n"
MUTANT = Mutant(FILE, "core/ReplaceComparisonOperator_GtE_Gt", 0, 32, 33)


def test_every_file_of_a_room_has_mutants_but_its_init():
    found = files_of("exact")
    assert FILE in found
    assert not [path for path in found if path.endswith("__init__.py")]


def test_mutants_change_what_runs_and_not_annotations():
    lines = (ROOT / FILE).read_text(encoding="utf-8").splitlines()
    found = mutants_of(FILE)
    assert any("EXACT_LIMIT = 1 << 24" in lines[mutant.line - 1] for mutant in found)
    union = next(k for k, line in enumerate(lines, 1) if line.startswith("def prove("))  # of two types of arrays
    assert "|" in lines[union - 1]
    assert not [mutant for mutant in found if mutant.line == union]


def test_a_seed_draws_the_same_places_and_one_mutant_of_each():
    first = drawn(FILE, 6, 1)
    assert first == drawn(FILE, 6, 1)
    assert first != drawn(FILE, 6, 2)
    assert len({(mutant.line, mutant.column) for mutant in first}) == 6
    assert len(drawn(FILE, 10_000, 1)) < len(mutants_of(FILE))


def test_results_count_what_changes_something(monkeypatch):
    known = {
        "path": FILE,
        "removed": "if reach.max() >= LIMIT:",
        "added": "if reach.max() > LIMIT:",
        "reason": "it is so",
    }
    monkeypatch.setattr(mutation, "equivalents", lambda: [known])
    unseen = Outcome(MUTANT, False, 1.0, DIFF)
    others = [
        Outcome(replace(MUTANT, line=9), True, 1.0, DIFF),  # noticed: it does change something
        Outcome(replace(MUTANT, line=8), False, 1.0, DIFF.replace("reach.max()", "reach")),
    ]
    found = mutation.result([unseen, *others])
    assert (found["noticed"], found["changing"], found["equivalent"]) == (1, 2, 1)
    assert found["rooms"]["exact"] == {"noticed": 1, "changing": 2}
    assert [row["equivalent"] for row in found["mutants"]] == ["it is so", None, None]
    assert mutation.outcome_of(found["mutants"][0]).mutant == MUTANT
    assert mutation.row_of(mutation.outcome_of(found["mutants"][1]), {}) == found["mutants"][1]


def test_those_that_are_called_equivalent_say_why_and_are_of_files_that_are_there():
    for row in json.loads(mutation.EQUIVALENT.read_text(encoding="utf-8")):
        assert row.keys() == {"path", "removed", "added", "reason"}
        assert (ROOT / row["path"]).is_file()
        assert row["removed"] in (ROOT / row["path"]).read_text(encoding="utf-8")
        assert len(row["reason"]) > 20


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_mutant_that_a_test_sees_is_noticed_and_the_checkout_stays_as_it_is():
    before = (ROOT / FILE).read_bytes()
    seen = next(mutant for mutant in mutants_of(FILE) if mutant.operator == MUTANT.operator)
    with copy_of_checkout() as folder:
        outcome = Judge(folder, "exact").judge(seen)
    assert outcome.noticed
    assert ">" in mutation.changed_line(outcome.diff, "+")
    assert (ROOT / FILE).read_bytes() == before
