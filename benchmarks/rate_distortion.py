"""The β trade-off as rate against distortion, on whole test sets, in bytes of real files.

    python -m benchmarks.rate_distortion [--quick] [--runs DIR] [--data mnist|dsprites] [--no-train] [--fresh]

For each β of the sweep: train (a run that is done is not repeated, one that was cut off goes on from its checkpoint),
compress every test image into a file, read the sizes back, decode from the files. Where the run is not at hand but the
stored result has its row, made with the same config and the same pixels, the row stands (--fresh: it does not). Beside
it PCA, the models of the zoo, and the classical codecs (made by benchmarks.classical). Into
results/rate-distortion-<data>.json, and the figure results/rate-distortion.png and .svg. --no-train says which runs are
missing and measures the others. --quick, two minutes, sees that all of it works; its runs and results go to RUNS/quick
and never into results/. Needs vaecodec[bench,train].
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.checks import PairCheck, check_pairs
from benchmarks.measuring.images import DATA, describe_set, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.measure import ModelPoint, measure_model
from benchmarks.measuring.points import describe
from benchmarks.measuring.runs import (
    QUICK_TEST_IMAGES,
    last_metrics,
    runs_folder,
    training_sets,
)
from benchmarks.measuring.stored import SweepRow, read_rows
from benchmarks.measuring.sweep import measure_sweep
from benchmarks.pages.figure import draw, read_results
from benchmarks.studies.beta_sweep import sweep_configs
from benchmarks.studies.pca_baseline import FIT_IMAGES, measure_pca
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.modelfile.installed import installed_models, zoo_folder

QUICK_FIT_IMAGES = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, store, draw; 1 where a run is missing or a pair of β breaks the order, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rate_distortion", description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=DATA, action="append", help="default: both")
    parser.add_argument("--runs", type=Path, help="folder of the runs; default $VAECODEC_RUNS, else runs/")
    parser.add_argument("--no-train", action="store_true", help="measure the runs that are done, train none")
    parser.add_argument("--fresh", action="store_true", help="use no row of the stored results")
    parser.add_argument("--quick", action="store_true", help="short trainings, few images; results in RUNS/quick")
    options = parser.parse_args(arguments)
    runs = options.runs or runs_folder()
    if options.quick:
        runs = runs / "quick"
    suffix = "-quick" if options.quick else ""
    out = runs / "results" if options.quick else RESULTS
    failed = False
    for data in options.data or DATA:
        path = out / f"rate-distortion-{data}{suffix}.json"
        stored = [] if options.fresh else read_rows(path)
        result = measure_data(data, runs, stored, train=not options.no_train, quick=options.quick)
        write_results(path, result, seed=0)
        failed |= fails(result, quick=options.quick)
    results = read_results(out, "rate-distortion", suffix)
    drawn = out / f"rate-distortion{suffix}.png"
    flagships, lossless = ({} if options.quick else read_results(RESULTS, kind) for kind in ("flagship", "lossless"))
    draw(results, read_results(RESULTS, "classical"), drawn, flagships, lossless)
    print(drawn)
    return int(failed)


def fails(result: Mapping[str, Any], *, quick: bool) -> bool:
    """A run is missing, or a pair of β breaks the order; a quick training may break it."""
    broken = not all(check["holds"] for check in result["checks"])
    return bool(result["missing"]) or (broken and not quick)


def measure_data(data: str, runs: Path, stored: Sequence[SweepRow], *, train: bool, quick: bool) -> dict[str, Any]:
    """Everything on one data set, as it is stored."""
    dataset = load_dataset(data, "test")
    chosen = evenly_spaced(dataset.images, QUICK_TEST_IMAGES) if quick else dataset.images
    test = replace(dataset, images=chosen, labels=None, label_names=())
    sets = training_sets(data, quick=quick)
    rows, missing = measure_sweep(sweep_configs(data, quick=quick), runs, test, sets, stored, train=train)
    checks = check_pairs([row.for_check() for row in rows])
    for check in checks:
        print(describe_check(check), file=sys.stderr)
    pca = measure_pca(data, sets[0].images, test.images, most=QUICK_FIT_IMAGES if quick else FIT_IMAGES)
    return {
        "data": {**describe_set(dataset), "images": len(test)},
        "ms_ssim_scales": rows[0].measured["point"]["ms_ssim_scales"] if rows else None,
        "sweep": [row.to_dict() for row in rows],
        "missing": missing,
        "checks": [check.to_dict() for check in checks],
        "every_pair_holds": all(check.holds for check in checks) and not missing,
        "zoo": [point.to_dict() for point in measure_zoo(data, runs, test.images)],
        "pca": [point.to_dict() for point in pca],
    }


def measure_zoo(data: str, runs: Path, images: NDArray[np.uint8]) -> Iterator[ModelPoint]:
    """The released models that were trained on this data set; with their run's metrics where the run is at hand.

    Those of several levels are benchmarks.flagship's, and superseded ones only decode: both are left out.
    """
    for model in installed_models():
        said = model.summary
        trained_on = said.about.get("config", {}).get("data")
        if model.path.parent != zoo_folder() or trained_on != data or len(said.betas) != 1 or not said.has_analysis:
            continue
        point = measure_model(Codec.load(model.path), model.path, images, last_metrics(runs / model.name))
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


if __name__ == "__main__":
    sys.exit(main())
