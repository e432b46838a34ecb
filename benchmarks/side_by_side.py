"""Start-up and bulk speeds of two checkouts in alternating runs: results/side-by-side.json.

    python -m benchmarks.side_by_side OLD [--new COMMIT] [--rounds N]

OLD (a commit) and, with --new, another one become git worktrees of their own; without it the new one is this checkout
as it is. Start-up is that of whole processes; bulk tasks run in one process of each side, which waits for its turn. In
a round each task runs once on either side, one right after the other, and which comes first changes from round to
round, so that a machine whose speed drifts slows both.

    old, new ──tasks, in turn──> seconds ──medians──> quotient new / old ──bootstrap over rounds──> interval, verdict

Bars: every task takes at most 1.05 times the old one's time, and decompressing a digit at most 2.3 times a Python that
only imports numpy and Pillow. A bar whose interval contains it is not decided. Beside the clock stand the seconds of
all cores, which other processes disturb less.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.images import evenly_spaced
from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from benchmarks.measuring.timing import elapsed_s, spread
from vaecodec.data import load_dataset

IMAGES, EXACT_IMAGES = 2000, 500
MOST_BULK, MOST_START = 1.05, 2.3  # times the old one's; times the baseline's
WORKER = ROOT / "benchmarks" / "measuring" / "bulk_worker.py"
COMMAND_LINE = "from cli.main import main; main()"
BASELINE = "import numpy, PIL.Image"
BASELINE_TASK, IMPORT_TASK, DECOMPRESS_TASK = BASELINE, "import vaecodec", "vaecodec decompress"
BOOTSTRAP = 2000
INTERVAL = (5, 95)  # per cent

Times = dict[str, list[float]]  # seconds by task


@dataclass(frozen=True, slots=True)
class Bar:
    """A quotient of medians and what it may be at most. interval: 90 %, of the rounds drawn again."""

    what: str
    quotient: float
    interval: tuple[float, float]
    most: float

    @property
    def verdict(self) -> str:
        """The interval decides, where it does."""
        if self.interval[1] <= self.most:
            return "holds"
        return "MISSED" if self.interval[0] > self.most else "not decided"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "verdict": self.verdict}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where a bar is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__.partition("\n")[0])
    parser.add_argument("old", help="commit")
    parser.add_argument("--new", help="commit; default: this checkout as it is")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=RESULTS / "side-by-side.json")
    options = parser.parse_args(arguments)
    images = evenly_spaced(load_dataset("mnist", "test").images, IMAGES)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        np.save(folder / "images.npy", images)
        paths = {"old": stack.enter_context(checkout(options.old)), "new": stack.enter_context(checkout(options.new))}
        sides = {name: Side(path, folder / name) for name, path in paths.items()}
        commits = {name: side.commit() for name, side in sides.items()}
        clock = time_start(sides, options.rounds)
        bulk, cores = time_bulk(sides, folder / "images.npy", options.rounds)
    for name in sides:
        clock[name] |= bulk[name]
    bars = judge(clock)
    for bar in bars:
        print(f"{bar.what}: {bar.quotient:.3f} ({bar.interval[0]:.3f} to {bar.interval[1]:.3f}): {bar.verdict}")
    result = {
        "commits": commits,
        "images": IMAGES,
        "exact_images": EXACT_IMAGES,
        "rounds": options.rounds,
        "seconds": spreads(clock),
        "seconds_of_all_cores": spreads(cores),
        "quotients_of_all_cores": {task: quotient(new, cores["old"][task]) for task, new in cores["new"].items()},
        "bars": [bar.to_dict() for bar in bars],
    }
    write_results(options.out, result, seed=0)
    print(options.out)
    return int(any(bar.verdict == "MISSED" for bar in bars))


@contextmanager
def checkout(commit: str | None) -> Iterator[Path]:
    """A worktree of a commit while it is used; this checkout for None. Raises CalledProcessError."""
    if commit is None:
        yield ROOT
        return
    with tempfile.TemporaryDirectory(prefix="vaecodec-side-") as folder:
        path = Path(folder) / "checkout"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(path), commit], check=True)
        try:
            yield path
        finally:
            subprocess.run([*git, "remove", "--force", str(path)], check=True)


class Side:
    """One checkout, and a folder for what its processes write."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder = path, folder
        folder.mkdir()
        self.environment = {**os.environ, "PYTHONPATH": str(path)}
        digit = str(ROOT / "examples" / "digit-7.png")
        compress = self.command("-c", COMMAND_LINE, "compress", digit, str(folder / "seven.vae"))
        subprocess.run(compress, env=self.environment, check=True, capture_output=True)

    def command(self, *arguments: str) -> list[str]:
        """A Python that sees the checkout and not the folder that it is started in, or its script's."""
        return [sys.executable, "-P", *arguments]

    def start_tasks(self) -> dict[str, list[str]]:
        """Commands by task."""
        target = self.folder / "seven.png"
        target.unlink(missing_ok=True)
        decompress = ["decompress", str(self.folder / "seven.vae"), str(target)]
        return {
            BASELINE_TASK: self.command("-c", BASELINE),
            IMPORT_TASK: self.command("-c", "import vaecodec"),
            DECOMPRESS_TASK: self.command("-c", COMMAND_LINE, *decompress),
        }

    def commit(self) -> dict[str, Any]:
        """What is measured; changes: whether files differ from the commit."""
        changes = self._git("status", "--porcelain", "--", "vaecodec", "cli")
        return {"commit": self._git("rev-parse", "HEAD"), "changes": bool(changes)}

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Worker:
    """A side's process for bulk tasks."""

    def __init__(self, side: Side, images: Path) -> None:
        command = side.command(str(WORKER), str(images), str(EXACT_IMAGES))
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=side.environment, stdin=pipe, stdout=pipe, text=True)

    def tasks(self) -> list[str]:
        """Their names, once the worker is ready."""
        return list(self._answer())

    def seconds(self, task: str) -> tuple[float, float]:
        """(by the clock, of all cores) of one run."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{task}\n")
        self.process.stdin.flush()
        clock, cores = self._answer()
        return clock, cores

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise ChildProcessError(f"{WORKER.name} ended with {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def in_turn(number: int, names: Sequence[str]) -> list[str]:
    """The sides in the order of a round."""
    return list(names) if number % 2 else list(reversed(names))


def time_start(sides: Mapping[str, Side], rounds: int) -> dict[str, Times]:
    """Seconds of whole processes by side and task, one of each round; the first round warms caches and is left out."""
    times: dict[str, Times] = {name: {} for name in sides}
    for number in range(rounds + 1):
        for task in (BASELINE_TASK, IMPORT_TASK, DECOMPRESS_TASK):
            for name in in_turn(number, list(sides)):
                seconds = elapsed_s(sides[name].start_tasks()[task], sides[name].environment)
                if number:
                    times[name].setdefault(task, []).append(seconds)
    return times


def time_bulk(sides: Mapping[str, Side], images: Path, rounds: int) -> tuple[dict[str, Times], dict[str, Times]]:
    """Seconds of bulk tasks by side and task, one of each round: by the clock, and of all cores."""
    clock: dict[str, Times] = {name: {} for name in sides}
    cores: dict[str, Times] = {name: {} for name in sides}
    workers: dict[str, Worker] = {}
    try:
        for name, side in sides.items():
            workers[name] = Worker(side, images)
            tasks = workers[name].tasks()
        for number in range(rounds):
            for task in tasks:
                for name in in_turn(number, list(sides)):
                    for times, seconds in zip((clock, cores), workers[name].seconds(task), strict=True):
                        times[name].setdefault(task, []).append(seconds)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    finally:
        for worker in workers.values():
            worker.close()
    return clock, cores


def judge(times: Mapping[str, Times]) -> list[Bar]:
    """Every task of the new side against the old one's, and both start-ups against the baseline."""
    old, new = times["old"], times["new"]
    bars = [bar_of(task, new[task], old[task], MOST_BULK) for task in new if task != BASELINE_TASK]
    for name, of in times.items():
        what = f"{DECOMPRESS_TASK}, {name}, of {BASELINE_TASK}"
        bars.append(bar_of(what, of[DECOMPRESS_TASK], of[BASELINE_TASK], MOST_START))
    return bars


def bar_of(what: str, seconds: Sequence[float], of: Sequence[float], most: float) -> Bar:
    """Of the medians. The interval: rounds drawn again with replacement, both times of a round together."""
    pairs = np.array([seconds, of])
    drawn = np.random.default_rng(0).integers(0, pairs.shape[1], (BOOTSTRAP, pairs.shape[1]))
    above, below = np.median(pairs[:, drawn], axis=2)
    low, high = np.percentile(above / below, INTERVAL)
    return Bar(what, quotient(seconds, of), (float(low), float(high)), most)


def quotient(seconds: Sequence[float], of: Sequence[float]) -> float:
    """Of the medians."""
    return statistics.median(seconds) / statistics.median(of)


def spreads(times: Mapping[str, Times]) -> dict[str, dict[str, dict[str, float]]]:
    """For JSON."""
    return {name: {task: spread(found) for task, found in of.items()} for name, of in times.items()}


if __name__ == "__main__":
    sys.exit(main())
