"""SIGTERM, SIGHUP and Ctrl-C at random moments, also while modules are imported: results/endings.json.

    python -m benchmarks.endings [--each 60] [--imports 60] [--seed 0] [--out FILE]

A command that a signal ends leaves the old file or the new one and nothing beside it, says so in one line and has the
exit code of that signal; one that has ended before it is done as ever. Ctrl-C comes in whole processes too, within the
import of a module that is chosen at random among those that a command imports.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import vaecodec
from benchmarks.measuring.commands import Ended, files_below, import_what_it_uses, run_command
from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from vaecodec.codec.images import read_grey

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
TIMED_RUNS, OVERTIME = 3, 1.1
TINY = str(ROOT / "tests" / "golden" / "v1" / "tiny.vaem")
DIGIT = str(ROOT / "examples" / "digit-7.png")
OLD = b"old\n"
INTERRUPTED_IN = """
import importlib.abc, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
where, names = int(sys.argv[1]), []
class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        names.append(name)
        if len(names) == where:
            signal.raise_signal(signal.SIGINT)
from cli.entry import main  # before it, nothing of ours is there to answer
sys.meta_path.insert(0, Interrupting())
sys.argv = ["vaecodec", *sys.argv[2:]]
try:
    main()
finally:
    print(len(names), file=sys.stdout)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """End, look and store; 1 where something is wrong, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endings", description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=60, help="signals of each kind to each command")
    parser.add_argument("--imports", type=int, default=60, help="interrupted imports of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "endings.json")
    options = parser.parse_args(arguments)
    rng, signals, imports = np.random.default_rng(options.seed), {}, {}
    with tempfile.TemporaryDirectory(prefix="vaecodec-endings-") as place:
        for name, command in commands(Path(place)).items():
            folder = Path(place) / name.replace(" ", "-")
            signals[name] = {one.name: ended(command, folder, one, options.each, rng) for one in SIGNALS}
            print(f"{name}: {signals[name]}", file=sys.stderr, flush=True)
            imports[name] = interrupted(command, folder, options.imports, rng)
            print(f"{name}, imports: {imports[name]}", file=sys.stderr, flush=True)
    holds = not any(found["wrong"] for of in signals.values() for found in of.values())
    holds = holds and not any(found["wrong"] for found in imports.values())
    write_results(options.out, {"signals": signals, "imports": imports, "holds": holds}, seed=options.seed)
    print(options.out)
    return 0 if holds else 1


def commands(place: Path) -> dict[str, list[str]]:
    """Commands that write `out` in a folder of their own, over an old file."""
    codec = vaecodec.Codec.load(TINY)
    (place / "digit.vae").write_bytes(codec.compress(read_grey(DIGIT)))
    np.savez(place / "images.npz", images=np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8))
    made = {
        "compress": ["compress", DIGIT, "OUT", "--force", "--no-verify", "--model", TINY],
        "decompress": ["decompress", str(place / "digit.vae"), "OUT", "--force", "--model", TINY],
        "archive create": ["archive", "create", "OUT", str(place / "images.npz"), "--force", "--model", TINY],
    }
    for name, command in made.items():
        folder = place / name.replace(" ", "-")
        folder.mkdir()
        suffix = ".png" if name == "decompress" else ".out"
        made[name] = [str(folder / f"a{suffix}") if word == "OUT" else word for word in command]
    return made


def target_of(command: Sequence[str], folder: Path) -> Path:
    """The file that a command writes."""
    return next(Path(word) for word in command if word.startswith(str(folder)))


def ended(
    command: list[str], folder: Path, number: signal.Signals, count: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Send a signal so many times; how often it came in time, and what is wrong."""
    target, times, wrong, in_time, late = target_of(command, folder), [], [], 0, 0
    target.write_bytes(OLD)
    import_what_it_uses(command)
    for _ in range(TIMED_RUNS):
        times.append(run_command(command).elapsed_s)
    new = target.read_bytes()
    while in_time < count:
        target.write_bytes(OLD)
        after_s = rng.random() * OVERTIME * statistics.median(times)
        found = run_command(command, number=number, after_s=after_s)
        in_time, late = in_time + (found.code != 0), late + (found.code == 0)
        complaint = what_is_wrong(found, number, folder, target, new)
        wrong += [complaint] if complaint else []
    return {"ended": in_time, "done_before": late, "wrong": wrong}


def what_is_wrong(found: Ended, number: signal.Signals, folder: Path, target: Path, new: bytes) -> str | None:
    """In words; None where all is as it should be."""
    there = files_below(folder)
    content = there.pop(target.name, b"")
    if there:
        return f"{next(iter(there))} is left"
    if content not in ((OLD, new) if found.code else (new,)):
        return f"{target.name}: {len(content)} bytes, neither the old file nor the new one"
    if found.code == 0:
        return None
    if found.code == -number:
        return None  # before the command line took signals over: nothing was written, nothing is to be said
    if found.code != 128 + number:
        return f"exit code {found.code}: {found.errors}"
    return None if found.clean_error else f"not one line: {found.errors}"


def interrupted(command: list[str], folder: Path, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Ctrl-C within imports, in new processes; the imports of a whole run are counted first."""
    target, wrong = target_of(command, folder), []
    most = int(in_process(command, 0).stdout.split()[-1])
    chosen = sorted(rng.choice(np.arange(1, most + 1), min(count, most), replace=False).tolist())
    for where in chosen:
        target.write_bytes(OLD)
        done = in_process(command, where)
        found = Ended(done.returncode, done.stderr, 0.0)
        if done.returncode != 128 + signal.SIGINT or not found.clean_error:
            wrong.append(f"import {where}: exit code {done.returncode}: {done.stderr[-300:]}")
        elif files_below(folder) != {target.name: OLD}:
            wrong.append(f"import {where}: files are left, or the output is another one")
    return {"imports_of_a_run": most, "interrupted": len(chosen), "wrong": wrong}


def in_process(command: Sequence[str], where: int) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, interrupted at its import of that number."""
    words = [sys.executable, "-c", INTERRUPTED_IN, str(where), *command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)


if __name__ == "__main__":
    sys.exit(main())
