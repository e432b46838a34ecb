"""The rows of a sweep: measured where the run is at hand, as stored where a result has it, trained where neither is.

configs, stored rows --measure_sweep--> rows, and which runs are missing
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring.measure import measure_model
from benchmarks.measuring.points import describe
from benchmarks.measuring.runs import RunState, ensure_run, last_metrics, run_state
from benchmarks.measuring.stored import Origin, SweepRow, find_row, new_row
from vaecodec.codec.codec import Codec
from vaecodec.data import ImageSet
from vaecodec.recipes.config import TrainingConfig


def measure_sweep(
    configs: Sequence[TrainingConfig],
    runs: Path,
    test: ImageSet,
    sets: tuple[ImageSet, ImageSet],
    stored: Sequence[SweepRow],
    *,
    train: bool,
) -> tuple[list[SweepRow], list[dict[str, str]]]:
    """A row for each config, and which are missing and why.

    A run that is done is measured anew; else a stored row of the same origin stands; else, with `train`, it is trained.
    """
    rows: list[SweepRow] = []
    missing = []
    for config in configs:
        state = run_state(config, sets[0], runs)
        origin = Origin(config, sets[0].sha256, test.sha256)
        row = None if state is RunState.DONE else find_row(stored, origin)
        if row is not None:
            print(f"{config.name:24} as stored, {row.provenance['time_utc']}", file=sys.stderr)
        elif train or state is RunState.DONE:
            path = ensure_run(config, runs, sets)
            point = measure_model(Codec.load(path), path, test.images, last_metrics(path.parent))
            print(f"{config.name:24} {describe(point.point)}  {point.coded_latents} latents", file=sys.stderr)
            row = new_row(origin, point)
        else:
            print(f"{config.name}: missing ({state.value})", file=sys.stderr)
            missing.append({"name": config.name, "state": state.value})
            continue
        rows.append(row)
    return rows, missing
