"""Do the tests notice when the code is changed? Random mutants of each file, against the tests of its room.

    python -m benchmarks.mutation [--room bitstream] [--file vaecodec/bitstream/reader.py] [--each 5] [--seed 0]
    python -m benchmarks.mutation --again        only what the stored run's tests did not notice

vaecodec/ROOM/ ──studies/mutants.py──> mutants, noticed or not ──> results/mutation.json

Some mutants change nothing that anyone can see; results/equivalent-mutants.json names those that were looked at, by
file and changed line, with the reason. They count as neither.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.studies.mutants import Judge, Mutant, Outcome, copy_of_checkout, drawn, files_of

ROOMS = ("bitstream", "entropy", "exact", "modelfile", "codec")
BAR = 0.9  # of the mutants that change something
STORED = RESULTS / "mutation.json"
EQUIVALENT = RESULTS / "equivalent-mutants.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge and store; 1 where fewer are noticed than the bar says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("--room", choices=ROOMS, action="append", help="only this room; may be given several times")
    parser.add_argument("--file", action="append", help="only this file; may be given several times")
    parser.add_argument("--each", type=int, default=5, help="mutants of each file (5)")
    parser.add_argument("--seed", type=int, default=0, help="decides which (0)")
    parser.add_argument("--again", action="store_true", help="those of the stored run that were not noticed")
    parser.add_argument("--out", type=Path, default=STORED, help="where the result goes")
    options = parser.parse_args(arguments)
    if options.again:
        stored = json.loads(options.out.read_text(encoding="utf-8"))
        before = [outcome_of(row) for row in stored["mutants"]]
        options.seed = stored["provenance"]["seed"]
    else:
        before = []
    chosen = [one.mutant for one in before if not one.noticed] or list(choose(options))
    outcomes = {one.mutant: one for one in before}
    for outcome in judged(chosen):
        outcomes[outcome.mutant] = outcome
        print(describe(outcome), file=sys.stderr)
        write_results(options.out, result(outcomes.values()), seed=options.seed)  # what is cut short is kept
    found = result(outcomes.values())
    print(f"{found['noticed']} of {found['changing']} noticed, {found['equivalent']} equivalent")
    return int(found["share_noticed"] < BAR)


def choose(options: argparse.Namespace) -> Iterator[Mutant]:
    """The mutants of a run, room by room."""
    for room in options.room or ROOMS:
        for path in files_of(room):
            if not options.file or path in options.file:
                yield from drawn(path, options.each, options.seed)


def judged(mutants: Iterable[Mutant]) -> Iterator[Outcome]:
    """What the tests of each mutant's room say."""
    judges: dict[str, Judge] = {}
    with copy_of_checkout() as folder:
        for mutant in mutants:
            if mutant.room not in judges:
                judges[mutant.room] = Judge(folder, mutant.room)
            yield judges[mutant.room].judge(mutant)


def result(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """For JSON: every mutant, and how many were noticed of those that change something."""
    equivalent = {key_of(row): row["reason"] for row in equivalents()}
    rows = [row_of(outcome, equivalent) for outcome in outcomes]
    changing = [row for row in rows if row["equivalent"] is None]
    noticed = sum(row["noticed"] for row in changing)
    return {
        "noticed": noticed,
        "changing": len(changing),
        "equivalent": len(rows) - len(changing),
        "share_noticed": noticed / len(changing) if changing else 1.0,
        "bar": BAR,
        "rooms": {room: in_room(changing, room) for room in ROOMS},
        "mutants": rows,
    }


def in_room(rows: Sequence[dict[str, Any]], room: str) -> dict[str, int]:
    """How many of a room."""
    mine = [row for row in rows if row["path"].split("/")[1] == room]
    return {"noticed": sum(row["noticed"] for row in mine), "changing": len(mine)}


def row_of(outcome: Outcome, equivalent: dict[tuple[str, ...], str]) -> dict[str, Any]:
    """One mutant. A noticed one changes something, whatever was thought of it."""
    row = {**asdict(outcome.mutant), "noticed": outcome.noticed, "elapsed_s": outcome.elapsed_s}
    row |= {"removed": changed_line(outcome.diff, "-"), "added": changed_line(outcome.diff, "+")}
    return {**row, "equivalent": None if outcome.noticed else equivalent.get(key_of(row))}


def outcome_of(row: dict[str, Any]) -> Outcome:
    """The inverse of row_of."""
    mutant = Mutant(row["path"], row["operator"], row["occurrence"], row["line"], row["column"])
    return Outcome(mutant, row["noticed"], row["elapsed_s"], f"-{row['removed']}\n+{row['added']}")


def equivalents() -> list[dict[str, str]]:
    """The mutants that were looked at and change nothing: path, removed and added line, reason."""
    found: list[dict[str, str]] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return found


def key_of(row: dict[str, Any]) -> tuple[str, ...]:
    """By what a mutant is known again when lines have moved."""
    return row["path"], row["removed"], row["added"]


def changed_line(diff: str, sign: str) -> str:
    """The first line that a diff takes away (-) or brings (+)."""
    lines = diff.splitlines()
    return next((line[1:].strip() for line in lines if line[:1] == sign and line[:3] != 3 * sign), "")


def describe(outcome: Outcome) -> str:
    """One line."""
    mutant = outcome.mutant
    said = "noticed    " if outcome.noticed else "NOT NOTICED"
    added = changed_line(outcome.diff, "+")
    return f"{said} {outcome.elapsed_s:5.1f} s  {mutant.path}:{mutant.line}  {added}"


if __name__ == "__main__":
    sys.exit(main())
