"""Training that is interrupted at random moments ends with the weights of a training that is not.

    python -m benchmarks.interruptions DATA [--moments 20] [--steps 600] [--work DIR] [--seed 0] [--out FILE]

The command trains once to its end. Then it trains again and again, each time sent SIGINT or SIGTERM after a random part
of the time that the whole run took, and gone on with by --resume; weights, and the model file's fingerprint, must be
the whole run's. Moments lie anywhere: while images are read, before the first step, within the steps, while the model
file is made. Needs vaecodec[train], installed.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from vaecodec.modelfile.summary import read_summary

NAME = "interrupted"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAVED, DONE = "a checkpoint", "the model file"


@dataclass(frozen=True, slots=True)
class Moment:
    """One interruption. exit_code: of the process that got the signal; left: what the run folder held then."""

    signal: str
    after_s: float
    exit_code: int
    left: str
    steps_done: int
    same_weights: bool
    same_model: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """The whole run, the interrupted ones, the result; 1 where one ends otherwise, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interruptions", description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="mnist, or a folder of images")
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--work", type=Path, help="for the run folders; default: a temporary one")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--out", type=Path, default=RESULTS / "interruptions.json")
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        whole, began_s = work / "whole", time.monotonic()
        subprocess.run(command(options.data, options.steps, whole), check=True, cwd=ROOT)
        whole_s = time.monotonic() - began_s
        moments: list[Moment] = []
        while len(moments) < options.moments:
            number = SIGNALS[len(moments) % len(SIGNALS)]
            moment = interrupted(options, whole, work / "again", number, rng.uniform(0, whole_s))
            if moment.exit_code:  # else it was done sooner than the whole run, and nothing was interrupted
                moments.append(moment)
                print(moment, file=sys.stderr)
    holds = all(moment.same_weights and moment.same_model for moment in moments)
    stored = {"steps": options.steps, "whole_s": whole_s, "moments": [asdict(one) for one in moments], "holds": holds}
    write_results(options.out, stored, seed=options.seed)
    print(options.out)
    return 0 if holds else 1


def command(data: str, steps: int, folder: Path, *more: str) -> list[str]:
    """vaecodec train, as a person would type it."""
    source = str(Path(data).resolve()) if Path(data).exists() else data
    here = [sys.executable, "-m", "cli", "train", source, "--name", NAME, "--out", str(folder.resolve())]
    return [*here, "--steps", str(steps), "--device", "cpu", "--no-progress", "--no-comparison", *more]


def interrupted(
    options: argparse.Namespace, whole: Path, folder: Path, number: signal.Signals, after_s: float
) -> Moment:
    """Train, send the signal, go on, and compare with the whole run; the folder is gone then."""
    process = subprocess.Popen(command(options.data, options.steps, folder), stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    code = process.wait()
    steps_done = steps_of(folder)
    left = DONE if model_of(folder).is_file() else SAVED if steps_done else "nothing"
    again = command(options.data, options.steps, folder, "--resume")
    subprocess.run(again, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    same_model = read_summary(model_of(folder)).fingerprint == read_summary(model_of(whole)).fingerprint
    moment = Moment(number.name, after_s, code, left, steps_done, same_weights(folder, whole), same_model)
    shutil.rmtree(folder)
    return moment


def model_of(folder: Path) -> Path:
    """The model file of a run."""
    return folder / f"{NAME}.vaem"


def steps_of(folder: Path) -> int:
    """Steps that the checkpoint of a run folder has; 0 where there is none."""
    from vaecodec.training.checkpoint import load_checkpoint
    from vaecodec.training.run_folder import CHECKPOINT

    return load_checkpoint(folder).step if (folder / CHECKPOINT).is_file() else 0


def same_weights(folder: Path, whole: Path) -> bool:
    """Whether every weight of two runs is the same, bit for bit."""
    import torch

    from vaecodec.training.checkpoint import load_checkpoint

    found, expected = load_checkpoint(folder).model, load_checkpoint(whole).model
    return found.keys() == expected.keys() and all(torch.equal(found[name], part) for name, part in expected.items())


if __name__ == "__main__":
    sys.exit(main())
