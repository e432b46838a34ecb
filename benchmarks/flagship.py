"""A flagship's whole curve over a whole test set, by real files: results/flagship-<data>.json.

    python -m benchmarks.flagship MODEL --data mnist|dsprites [--effort 0 1 2] [--levels-every K] [--images N]

MODEL is a name or a file. For each effort of the encoder: every K-th level, the coarsest and the finest among them; the
bars (flagship_bars.py); the curve beside the fixed-β models, PCA and the classical codecs of the stored results, by
BD-rate in PSNR and MS-SSIM; what the effort takes and what it saves against effort 0. Where the model codes exactly
too, lossless files stand beside the levels. The gap between training and test images stands beside each level, from
the model's record where that has it. --images tries the script on a part of the test set: its result is called
flagship-<data>-quick. Then the figure is drawn anew. Needs vaecodec[bench].
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring.checks import amortised_bytes
from benchmarks.measuring.exact_files import measure_exact_files
from benchmarks.measuring.images import DATA, Images, describe_set, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.measure import LevelPoint, levels_to_measure, lossy_streams, measure_level
from benchmarks.measuring.points import describe
from benchmarks.pages.figure import draw_stored
from benchmarks.studies.flagship_bars import BARS, describe_rate, describe_size, judge_rate, judge_size
from benchmarks.studies.flagship_gap import measure_gap
from benchmarks.studies.flagship_rivals import Rival, compare, curve_of, defined, read_rivals
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.evaluation.bd import bd_rate, bd_rate_ms_ssim
from vaecodec.modelfile.installed import installed_models

EFFORTS = (0, 1, 2)
TIMED_IMAGES = 500


@dataclass(frozen=True, slots=True)
class Subject:
    """A model, the images (n, h, w) of a data set, and what it stands beside. lossless: of its exact files."""

    codec: Codec
    images: Images
    data: str
    rivals: Sequence[Rival]
    lossless: Mapping[str, Any] | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, store, draw; 1 where a bar is missed at the highest effort, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flagship", description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="name or file")
    parser.add_argument("--data", choices=DATA, required=True)
    parser.add_argument("--effort", type=int, nargs="+", choices=EFFORTS, default=[0], help="default: 0")
    parser.add_argument("--levels-every", type=int, default=1, metavar="K", help="default: every level")
    parser.add_argument("--refined-every", type=int, metavar="K", help="with effort; default: as without")
    parser.add_argument("--images", type=int, help="only so many of the test set, evenly spaced")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    codec, path = Codec.load(options.model), model_path(options.model)
    config = codec.model.about.get("config", {})
    trained_on = config.get("data")
    if trained_on not in (options.data, f"{options.data}-mixed"):  # mixed: drawn ones among them, in training alone
        parser.error(f"{codec.model.name} was trained on {trained_on!r}, not on {options.data}")
    every = {effort: (options.refined_every if effort else None) or options.levels_every for effort in EFFORTS}
    test = load_dataset(options.data, "test")
    images = evenly_spaced(test.images, options.images or len(test))
    curves = [measure_curve(codec, images, effort, every[effort]) for effort in sorted(set(options.effort))]
    rivals = read_rivals(options.data, RESULTS, test.sha256, codec.model.name)
    lossless = measure_exact_files(codec, images) if codec.model.has_lossless else None
    subject = Subject(codec, images, options.data, rivals, lossless)
    efforts = [summarise(subject, curve, curves[0]) for curve in curves]
    result = {
        "data": {**describe_set(test), "images": len(images)},
        "model": describe_model(codec, path, curves[0]),
        "lossless": lossless,
        "efforts": efforts,
        "gap": measure_gap(codec, path, trained_on, curves[0]),
    }
    suffix = "-quick" if options.images else ""
    stored = options.out / f"flagship-{options.data}{suffix}.json"
    write_results(stored, result, seed=config["seed"])
    print(stored)
    if options.out == RESULTS and not suffix:
        draw_stored(RESULTS)
    return 0 if efforts[-1]["every_bar_holds"] else 1


def model_path(model: str) -> Path:
    """The file of a name or of a path."""
    found = [one.path for one in installed_models() if model in (one.name, *one.aliases)]
    return found[0] if found else Path(model)


def measure_curve(codec: Codec, images: Images, effort: int, every: int) -> list[LevelPoint]:
    """The points of one effort over images uint8 (n, h, w), coarsest first."""
    points = []
    for level in levels_to_measure(codec.model, every):
        points.append(measure_level(codec, images, level, effort))
        print(describe(points[-1].point), file=sys.stderr)
    return points


def describe_model(codec: Codec, path: Path, curve: Sequence[LevelPoint]) -> dict[str, Any]:
    """The model's file, and what it costs shared out among images at the level nearest to the default one."""
    model, size = codec.model, path.stat().st_size
    near = min(curve, key=lambda one: abs(one.level - model.default_level))
    return {
        "name": model.name,
        "family": model.family,
        "fingerprint": codec.fingerprint.hex(),
        "levels": len(model.levels),
        "default_level": model.default_level,
        "model_bytes": size,
        "bytes_with_model_over": {"level": near.level, **amortised_bytes(near.point.file_bytes, size)},
    }


def summarise(subject: Subject, curve: Sequence[LevelPoint], plain: Sequence[LevelPoint]) -> dict[str, Any]:
    """One effort as it is stored. plain: the points of the lowest effort that was measured."""
    codec, data, rivals = subject.codec, subject.data, subject.rivals
    effort, bars = curve[0].effort, BARS[data]
    ours = curve_of(codec.model.name, data, curve)
    exact_bytes = None if subject.lossless is None else subject.lossless["bytes"]
    sizes = [judge_size(bar, curve, exact_bytes) for bar in bars.sizes]
    curves = {rival.curve.codec: rival.curve for rival in rivals}
    rates = [judge_rate(bar, ours, curves.get(bar.codec)) for bar in bars.rates]
    for line in (*map(describe_size, sizes), *map(describe_rate, rates)):
        print(f"effort {effort}: {line}", file=sys.stderr)
    before = curve_of(codec.model.name, data, plain)
    saved = {"psnr": defined(bd_rate, before, ours), "ms_ssim": defined(bd_rate_ms_ssim, before, ours)}
    return {
        "effort": effort,
        "levels": [one.to_dict() for one in curve],
        "bars": {"sizes": [one.to_dict() for one in sizes], "rates": [one.to_dict() for one in rates]},
        "every_bar_holds": all(one.holds for one in sizes) and all(one.holds for one in rates),
        "beside": [compare(rival, curve).to_dict() for rival in rivals],
        "bd_rate_against_lowest_effort_per_cent": saved if curve is not plain else None,
        "compress": time_effort(codec, evenly_spaced(subject.images, TIMED_IMAGES), effort),
    }


def time_effort(codec: Codec, images: Images, effort: int) -> dict[str, float]:
    """What it costs to compress images (n, h, w) at the default level, an image: of the clock, and of all cores."""
    level = codec.model.default_level
    lossy_streams(codec, images, level, effort)  # what is made at first use is not counted
    clock, cores = time.perf_counter(), time.process_time()
    lossy_streams(codec, images, level, effort)
    clock, cores = time.perf_counter() - clock, time.process_time() - cores
    return {
        "images": len(images),
        "level": level,
        "ms": 1e3 * clock / len(images),
        "core_ms": 1e3 * cores / len(images),
    }


if __name__ == "__main__":
    sys.exit(main())
