"""Photographs: files of ours beside JPEG, WebP, AVIF and JPEG XL, on Kodak: results/photographs-kodak.json.

    python -m benchmarks.photographs [--validation] [--model FILE] [--levels N] [--force] [--out FOLDER]

Kodak's 24 photographs are for evaluation alone: they are run once a released model. `--validation` runs the same on
crops that are there for development (results/photographs-validation.json). Without --model the curves of the others are
measured alone. Each file is written, read back and decoded. A curve that is there already, of the same pixels and
settings, is not measured again without --force, and one that was cut short goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from benchmarks.measuring.photo_codecs import OURS, WEBP, PhotoCodec, anchors
from benchmarks.measuring.photo_points import PhotoPoint, measure_set, measured_once, point_of
from benchmarks.measuring.photo_sets import KODAK, PhotoSet, kodak, published_curves, validation
from benchmarks.studies.photo_comparison import MEAN_IMAGE_PSNR, all_comparisons, margin, pairs
from vaecodec.arrays import Pixels
from vaecodec.codec.codec import load

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec

CACHE = ROOT / "runs" / "photographs"
LEVELS = 12  # of a model, evenly spaced over those that it has, first and last among them
MOST_RATE_PER_CENT, LEAST_MARGIN_DB = -20.0, 0.0  # bars: against WebP, by the mean of the photographs' PSNR
RANGE_DB = (27.0, 37.0)  # that the common range must reach over

Curves = dict[str, list[PhotoPoint]]
Model = dict[str, str]  # name and fingerprint


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and store; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.photographs", description=__doc__.partition("\n")[0])
    parser.add_argument("--validation", action="store_true", help="the crops for development instead of Kodak")
    parser.add_argument("--model", help="name or model file")
    parser.add_argument("--levels", type=int, default=LEVELS, help=f"how many of the model's (default {LEVELS})")
    parser.add_argument("--force", action="store_true", help="measure the others again too")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    photographs = validation() if options.validation else kodak()
    path = options.out / f"photographs-{photographs.name}.json"
    curves, model = ({}, None) if options.force else read_stored(path, photographs)
    for name, codecs in groupby(anchors(), key=lambda codec: codec.name):
        settings = list(codecs)
        if {point.setting for point in curves.get(name, [])} != {codec.setting for codec in settings}:
            curves[name] = measure_anchor(settings, photographs, afresh=options.force)
            store(path, photographs, curves, model)
    if options.model is not None:
        codec = load(options.model)
        curves[OURS] = measure_model(codec, photographs, options.levels)
        model = {"name": codec.model.name, "fingerprint": codec.fingerprint.hex()}
    store(path, photographs, curves, model)
    print(path)


def store(path: Path, photographs: PhotoSet, curves: Curves, model: Model | None) -> None:
    """Write what there is, with what follows from it."""
    published = published_curves() if photographs.name == KODAK else []
    results = {
        "data": photographs.to_dict(),
        "model": model,
        "curves": {name: [asdict(point) for point in points] for name, points in curves.items()},
        "published": published,
        "comparisons": all_comparisons(curves, published, WEBP),
        "of_ours": against_each(curves) if model else None,
        "bars": bars(curves) if model else None,
    }
    write_results(path, results, seed=None)


def read_stored(path: Path, photographs: PhotoSet) -> tuple[Curves, Model | None]:
    """The curves of a result that is of the same pixels, and the model of ours; none where there is no such result."""
    result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    if result is None or result["data"]["pixels_sha256"] != photographs.to_dict()["pixels_sha256"]:
        return {}, None
    return {name: [PhotoPoint(**one) for one in points] for name, points in result["curves"].items()}, result["model"]


def measure_anchor(codecs: Sequence[PhotoCodec], photographs: PhotoSet, *, afresh: bool) -> list[PhotoPoint]:
    """The curve of one of Pillow's formats; afresh: forget what a run that was cut short has measured."""
    points = []
    for codec in codecs:
        started = time.process_time()
        measured = measured_once(codec, photographs, CACHE, afresh=afresh)
        points.append(point_of(codec, measured, photographs.images[0]))
        print(f"{points[-1]}  {time.process_time() - started:5.1f} s", file=sys.stderr, flush=True)
    return points


def measure_model(codec: AnyCodec, photographs: PhotoSet, levels: int) -> list[PhotoPoint]:
    """The curve of a model of ours."""
    points = []
    for at_level in model_at_levels(codec, levels):
        point = point_of(at_level, measure_set(at_level, photographs), photographs.images[0])
        print(point, file=sys.stderr, flush=True)
        points.append(point)
    return points


def model_at_levels(codec: AnyCodec, levels: int) -> Iterator[PhotoCodec]:
    """A model at so many of its levels."""
    for level in evenly_spread(len(codec.model.betas), levels):
        yield PhotoCodec(OURS, f"level {level}", partial(codec.compress, level=level), partial(decode_colour, codec))


def evenly_spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 .. count - 1, first and last among them."""
    spread: list[int] = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist()
    return spread


def decode_colour(codec: AnyCodec, data: bytes) -> Pixels:
    """uint8 (h, w, 3), of grey pictures too."""
    pixels = codec.decompress(data)
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def against_each(curves: Curves) -> dict[str, Any]:
    """The model's curve against each of the others, by each quality."""
    return {
        name: all_comparisons({name: points, OURS: curves[OURS]}, [], name)["measured"][OURS]
        for name, points in curves.items()
        if name != OURS
    }


def bars(curves: Curves) -> dict[str, Any]:
    """What is promised of the model, and whether it holds: against WebP, by the mean of the photographs' PSNR."""
    rate = against_each(curves)[WEBP][MEAN_IMAGE_PSNR]
    above = margin(pairs(curves[WEBP], MEAN_IMAGE_PSNR), pairs(curves[OURS], MEAN_IMAGE_PSNR))
    if rate is None or above is None:  # the curves have nothing in common
        return {"rate": {"holds": False}, "never_above": {"holds": False}}
    whole_range = rate["from_db"] <= RANGE_DB[0] and rate["to_db"] >= RANGE_DB[1]
    holds = whole_range and rate["rate_per_cent"] <= MOST_RATE_PER_CENT
    return {
        "rate": {**rate, "most_per_cent": MOST_RATE_PER_CENT, "holds": holds},
        "never_above": {**above, "holds": above["covers_all"] and above["least_db"] >= LEAST_MARGIN_DB},
    }


if __name__ == "__main__":
    main()
