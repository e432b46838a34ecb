"""The β trade-off as rate against distortion, on whole test sets, in bytes of real files.

    python -m benchmarks.rate_distortion [--quick] [--runs DIR] [--data mnist|dsprites] [--no-train]

For each β of the sweep: train (a run that is done is not repeated, one that was cut off goes on from its checkpoint),
compress every test image into a file, read the sizes back, decode from the files. Beside it PCA, the models of the zoo,
and the classical codecs (made by benchmarks.classical). Into results/rate-distortion-<data>.json, and the figure
results/rate-distortion.png and .svg. --no-train says which runs are missing and measures the others. --quick, two
minutes, sees that all of it works; its runs and results go to RUNS/quick and never into results/. Needs
vaecodec[bench,train].
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.checks import PairCheck, check_pairs
from benchmarks.classical import describe, describe_set, evenly_spaced
from benchmarks.figure import draw
from benchmarks.machine import RESULTS, write_results
from benchmarks.measure import ModelPoint, measure_model
from benchmarks.pca_baseline import FIT_IMAGES, measure_pca
from benchmarks.sweep import (
    BETAS,
    QUICK_BETAS,
    RunState,
    ensure_run,
    last_metrics,
    run_state,
    runs_folder,
    sweep_config,
    training_sets,
)
from vaecodec.data import ImageSet, load_dataset
from vaecodec.runtime.codec import load
from vaecodec.runtime.installed import installed_models, zoo_folder

DATA = ("mnist", "dsprites")
QUICK_IMAGES = 200
QUICK_FIT_IMAGES = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, store, draw; 1 where a pair of β that were both measured breaks the order, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rate_distortion", description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=DATA, action="append", help="default: both")
    parser.add_argument("--runs", type=Path, help="folder of the runs; default $VAECODEC_RUNS, else runs/")
    parser.add_argument("--no-train", action="store_true", help="measure the runs that are done, train none")
    parser.add_argument("--quick", action="store_true", help="short trainings, few images; results in RUNS/quick")
    options = parser.parse_args(arguments)
    runs = options.runs or runs_folder()
    if options.quick:
        runs = runs / "quick"
    suffix = "-quick" if options.quick else ""
    out = runs / "results" if options.quick else RESULTS
    broken = 0
    for data in options.data or DATA:
        result = measure_data(data, runs, train=not options.no_train, quick=options.quick)
        write_results(out / f"rate-distortion-{data}{suffix}.json", result, seed=0)
        broken += sum(not check["holds"] for check in result["checks"])
    stored = read_results(out, "rate-distortion", suffix)
    draw(stored, read_results(RESULTS, "classical", ""), out / f"rate-distortion{suffix}.png")
    print(out / f"rate-distortion{suffix}.png")
    return 1 if broken and not options.quick else 0


def measure_data(data: str, runs: Path, *, train: bool, quick: bool) -> dict[str, Any]:
    """Everything on one data set, as it is stored."""
    dataset = load_dataset(data, "test")
    images = evenly_spaced(dataset.images, QUICK_IMAGES) if quick else dataset.images
    sets = training_sets(data, quick=quick)
    points, missing = measure_sweep(data, runs, images, sets if train else None, quick=quick)
    checks = check_pairs([point.for_check() for point in points])
    for check in checks:
        print(describe_check(check), file=sys.stderr)
    pca = measure_pca(data, sets[0].images, images, most=QUICK_FIT_IMAGES if quick else FIT_IMAGES)
    return {
        "data": {**describe_set(dataset), "images": len(images)},
        "ms_ssim_scales": points[0].point.ms_ssim_scales if points else None,
        "sweep": [point.to_dict() for point in points],
        "missing": missing,
        "checks": [check.to_dict() for check in checks],
        "every_pair_holds": all(check.holds for check in checks) and not missing,
        "zoo": [point.to_dict() for point in measure_zoo(data, runs, images)],
        "pca": [point.to_dict() for point in pca],
    }


def measure_sweep(
    data: str,
    runs: Path,
    images: NDArray[np.uint8],
    sets: tuple[ImageSet, ImageSet] | None,
    *,
    quick: bool,
) -> tuple[list[ModelPoint], list[dict[str, str]]]:
    """The points of the runs that are done, and which are missing and why; with `sets`, missing ones are trained."""
    points, missing = [], []
    for beta in QUICK_BETAS if quick else BETAS:
        config = sweep_config(data, beta, quick=quick)
        state = run_state(config, runs)
        if sets is None and state is not RunState.DONE:
            print(f"{config.name}: missing ({state.value})", file=sys.stderr)
            missing.append({"name": config.name, "state": state.value})
            continue
        path = runs / config.name / f"{config.name}.vaem" if sets is None else ensure_run(config, runs, sets)
        point = measure_model(load(path), path, images, last_metrics(path.parent))
        print(f"{config.name:24} {describe(point.point)}  {point.coded_latents} latents", file=sys.stderr)
        points.append(point)
    return points, missing


def measure_zoo(data: str, runs: Path, images: NDArray[np.uint8]) -> Iterator[ModelPoint]:
    """The released models that were trained on this data set; with their run's metrics where the run is at hand."""
    for model in installed_models():
        if model.path.parent != zoo_folder() or model.summary.about.get("config", {}).get("data") != data:
            continue
        point = measure_model(load(model.path), model.path, images, last_metrics(runs / model.name))
        print(f"{model.name:24} {describe(point.point)}  {point.coded_latents} latents", file=sys.stderr)
        yield point


def describe_check(check: PairCheck) -> str:
    """One line for a neighbouring pair of β, by both measures of distortion."""
    verdict = "holds" if check.holds else "BROKEN"
    if check.tie:
        verdict = "tie: no latent is coded at either"
    (low, high), (nats_low, nats_high), (mse_low, mse_high) = check.file_bytes, check.distortion_nats, check.mse
    return (
        f"β {check.betas[0]:g} → {check.betas[1]:g}: {low:.2f} → {high:.2f} B, {nats_low:.2f} → {nats_high:.2f} nats,"
        f" MSE {mse_low:.2f} → {mse_high:.2f}: {verdict}"
    )


def read_results(folder: Path, kind: str, suffix: str) -> dict[str, dict[str, Any]]:
    """The stored results of a kind by data set, those that there are."""
    found = {}
    for data in DATA:
        path = folder / f"{kind}-{data}{suffix}.json"
        if path.is_file():
            found[data] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(main())
