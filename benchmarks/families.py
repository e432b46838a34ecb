"""Every family of the paper, trained, written into files and measured by them: one JSON for each run.

    python -m benchmarks.families [--data mnist|dsprites] [--family NAME] [--share K/N] [--no-train] [--fresh] [--list]

Trains what is not there (a run that is done is not repeated, one that was cut off goes on from its checkpoint), writes
every test image into a file, reads the sizes back, decodes from the files, and measures the trained model's bound. A
row in results/families/ that was made with the same config on the same pixels stands as it is, so that a fresh machine
repeats nothing (--fresh: it does not stand). --share 1/2 and --share 2/2 take every other run each, for two processes
side by side. --quick, minutes, sees that all of it works; its runs and rows go to RUNS/quick. The table is made by
`python -m benchmarks.family_table`. Needs vaecodec[bench,train].
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.family_files import measure_files
from benchmarks.measuring.float_model import measure_float, trained_model
from benchmarks.measuring.images import DATA, Images, evenly_spaced
from benchmarks.measuring.machine import RESULTS, provenance, write_results
from benchmarks.measuring.points import describe
from benchmarks.measuring.runs import (
    QUICK_STEPS,
    QUICK_TEST_IMAGES,
    RunState,
    ensure_run,
    model_path,
    read_metrics,
    run_state,
    runs_folder,
    training_sets,
)
from benchmarks.measuring.stored import PROVENANCE, Origin
from benchmarks.studies.family_rows import FamilyRow, read_row, row_path
from benchmarks.studies.family_runs import CODES_ALONE, FAMILIES, FamilyRun, family_runs
from benchmarks.studies.plateau_runs import on_plateau, plateau_runs
from vaecodec.codec.codec import Codec
from vaecodec.data import ImageSet, load_dataset
from vaecodec.evaluation.codes import codes_of
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.record import versions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, store; 1 where a run is missing or breaks a bar that every run has, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.families", description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=DATA, action="append", help="default: both")
    parser.add_argument("--family", choices=FAMILIES, action="append", help="default: all")
    parser.add_argument("--share", type=parse_share, default=(1, 1), metavar="K/N", help="every N-th run from K on")
    parser.add_argument("--runs", type=Path, help="folder of the runs; default $VAECODEC_RUNS, else runs/")
    parser.add_argument("--no-train", action="store_true", help="measure the runs that are done, train none")
    parser.add_argument("--fresh", action="store_true", help="measure again what is stored")
    parser.add_argument("--plateau", action="store_true", help="the long runs: configs/plateau, results/plateau")
    parser.add_argument("--quick", action="store_true", help="short trainings, few images; rows in RUNS/quick")
    parser.add_argument("--list", action="store_true", help="only say which runs there are and what is known of them")
    options = parser.parse_args(arguments)
    runs = options.runs or (runs_folder() / "plateau" if options.plateau else runs_folder())
    out = RESULTS / "plateau" if options.plateau else RESULTS
    all_runs = plateau_runs if options.plateau else family_runs
    if options.quick:
        runs = runs / "quick"
        out = runs / "results"
    failed = False
    for data in options.data or DATA:
        chosen = [run for run in all_runs(data) if not options.family or run.config.family in options.family]
        chosen = [quick_run(run) for run in chosen] if options.quick else chosen
        first, every = options.share
        work = Work(data, runs, out, quick=options.quick, fresh=options.fresh, codes=options.plateau)
        for run in chosen[first - 1 :: every]:
            if options.list:
                print(f"{run.config.name:48} {work.state(run)}")
            else:
                failed |= not work.done(run, train=not options.no_train)
    return int(failed)


def parse_share(text: str) -> tuple[int, int]:
    """K/N with 1 ≤ K ≤ N. Raises ArgumentTypeError."""
    first, _, every = text.partition("/")
    if not (first.isdigit() and every.isdigit() and 1 <= int(first) <= int(every)):
        raise argparse.ArgumentTypeError(f"expected K/N with 1 <= K <= N, found {text!r}")
    return int(first), int(every)


def quick_run(run: FamilyRun) -> FamilyRun:
    """The same run in seconds, to see that the whole path works."""
    config = run.config
    optimiser = replace(config.optimiser, steps=QUICK_STEPS, warmup_steps=20)
    few: dict[str, Any] = {"step_multipliers": (3.46,), "synthesis_steps": 50, "prior_steps": 50}
    known = {field.name for field in fields(config.finish)}
    finish = replace(config.finish, **{name: value for name, value in few.items() if name in known})
    return replace(run, config=replace(config, optimiser=optimiser, finish=finish))


class Work:
    """One data set's images, and where its runs and rows lie. codes: keep these of every run, and no model file."""

    def __init__(self, data: str, runs: Path, out: Path, *, quick: bool, fresh: bool, codes: bool) -> None:
        test = load_dataset(data, "test")
        few = evenly_spaced(test.images, QUICK_TEST_IMAGES) if quick else test.images
        self.test = replace(test, images=few, labels=None, label_names=())
        self.runs, self.out, self.quick, self.fresh, self.codes = runs, out, quick, fresh, codes
        self._sets: dict[str, tuple[ImageSet, ImageSet]] = {}
        self._hashes: dict[str, tuple[str, str]] = {}

    def sets(self, config: TrainingConfig) -> tuple[ImageSet, ImageSet]:
        """The run's training and validation images; several runs share them."""
        if config.data not in self._sets:
            self._sets[config.data] = training_sets(config.data, quick=self.quick)
        return self._sets[config.data]

    def origin(self, config: TrainingConfig) -> Origin:
        """What decides the run's row."""
        if config.data not in self._hashes:
            self._hashes[config.data] = (self.sets(config)[0].sha256, self.test.sha256)
        return Origin(config, *self._hashes[config.data])

    def stored(self, run: FamilyRun) -> FamilyRow | None:
        """The row that stands, if there is one."""
        row = None if self.fresh else read_row(row_path(self.out, run.config.name))
        return row if row is not None and row.origin == self.origin(run.config) else None

    def state(self, run: FamilyRun) -> str:
        """For a list."""
        if self.stored(run) is not None:
            return "stored"
        return run_state(run.config, self.sets(run.config)[0], self.runs).value

    def done(self, run: FamilyRun, *, train: bool) -> bool:
        """See to it that the run has its row; whether it has, and keeps the bars that every run has."""
        row = self.stored(run)
        if row is None:
            if not train and run_state(run.config, self.sets(run.config)[0], self.runs) is not RunState.DONE:
                print(f"{run.config.name:48} missing", file=sys.stderr)
                return False
            row = self._measured(run)
            write_results(row_path(self.out, run.config.name), row.to_dict(), seed=run.config.seed)
            model = model_path(run.config, self.runs)
            if self.codes or (run.kept and run.config.family in CODES_ALONE):
                keep_codes(model, self.test.images, self.out)
            elif run.kept:
                keep_model(model, self.out)
        files = row.measured["files"]
        # A quick training's latents carry next to nothing, and a payload that is not empty has a byte.
        kept = bool(files["own_reconstruction"] and (files["within_bound"] or self.quick))
        print(f"{run.config.name:48} {'holds' if kept else 'BREAKS A BAR'}", file=sys.stderr)
        return kept

    def _measured(self, run: FamilyRun) -> FamilyRow:
        path = ensure_run(run.config, self.runs, self.sets(run.config))
        codec = Codec.load(path)
        files = measure_files(codec, self.test.images)
        bound = measure_float(trained_model(path.parent), self.test.images)
        print(f"{run.config.name:48} {describe(files.point)}", file=sys.stderr)
        here, curves = provenance(seed=run.config.seed), read_metrics(path.parent)
        measured = {
            "family": run.config.family,
            "data": run.data,
            "setting": run.setting,
            "knob": run.knob,
            "swept": run.swept,
            "test_images": len(self.test),
            "versions": versions(),
            "model_bytes": path.stat().st_size,
            "fingerprint": codec.fingerprint.hex(),
            "finish": codec.model.about["finish"],
            "files": files.to_dict(),
            "float": bound.to_dict(),
            "gaps_bits": {
                "information_over_kl": files.information_bits - bound.kl_bits,
                "payload_over_information": files.payload_bits - files.information_bits,
                "file_over_payload": 8 * files.point.file_bytes - files.payload_bits,
            },
            "on_plateau": on_plateau(curves),
            "curves": curves,
        }
        return FamilyRow(self.origin(run.config), {name: here[name] for name in PROVENANCE}, measured)


def keep_model(path: Path, out: Path) -> None:
    """Copy a model file beside the rows; one of each family and data set is committed."""
    target = out / "families" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def keep_codes(path: Path, images: Images, out: Path) -> None:
    """Means float16 and symbols int16 (n, coded latents) of the test images, beside the rows."""
    codes = codes_of(Codec.load(path), images)
    target = out / "families" / f"{path.stem}.npz"
    means, symbols = codes.means.astype(np.float16), codes.symbols.astype(np.int16)
    np.savez_compressed(target, means=means, symbols=symbols, coded=codes.coded)


if __name__ == "__main__":
    sys.exit(main())
