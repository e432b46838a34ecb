"""The training record that ships beside a released model: zoo/NAME.json.

    python -m benchmarks.zoo_record RUN [--every K]                     after copying RUN/NAME.vaem into vaecodec/zoo
    python -m benchmarks.zoo_record LOSSY LOSSLESS --name NAME          of the models of two runs, joined as NAME

Config, data hash and versions come from the model file, the curves from the run's metrics, and the results are measured
on the whole test set with the file in the zoo, through real files. A model of several levels is measured at every K-th,
and there on training and validation images too: the gap between them says how well it generalises. The same three sets
are measured in bytes where a model codes exactly.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.classical import describe, describe_set, evenly_spaced
from benchmarks.lossless import measure_files
from benchmarks.machine import write_results
from benchmarks.measure import levels_to_measure, lossy_streams, measure_model
from benchmarks.sweep import last_metrics
from vaecodec.codec.codec import Codec, load
from vaecodec.data import ImageSet, load_dataset
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse
from vaecodec.modelfile.installed import SUFFIX, zoo_folder
from vaecodec.modelfile.summary import read_summary

GAP_IMAGES = 10_000  # of the training set, evenly spaced: as many as MNIST has for testing


@dataclass(frozen=True, slots=True)
class SetPoint:
    """A level on some images: mean bytes of the streams and of their information, PSNR from the mean MSE."""

    images: int
    file_bytes: float
    information_bytes: float
    psnr_db: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo_record", description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, nargs="+", help="the run folder that the model was trained in, or two")
    parser.add_argument("--name", help="of the model, where it is not that of the run")
    parser.add_argument("--every", type=int, default=1, help="of a model of several levels: every so many of them")
    options = parser.parse_args(arguments)
    config = json.loads((options.run[0] / "config.json").read_text())
    path = zoo_folder() / f"{options.name or config['name']}{SUFFIX}"
    codec = load(path)
    test = load_dataset(config["data"], "test")
    record = {
        "name": codec.model.name,
        "family": codec.model.family,
        "fingerprint": codec.fingerprint.hex(),
        **codec.model.about,
        "curves": read_curves(options.run[0]),
        "test": describe_set(test),
    }
    if len(options.run) > 1:
        record["lossless_curves"] = read_curves(options.run[1])
    if codec.model.levels:
        record["test"] |= measure_model(codec, path, test.images, last_metrics(options.run[0])).to_dict()
    if codec.model.has_lossless:
        record["lossless"] = measure_exact(codec, config["data"], test)
    if len(codec.model.levels) > 1:
        record["levels"] = list(measure_levels(codec, path, config["data"], test, options.every))
    write_results(path.with_suffix(".json"), record, seed=config["seed"])
    record_fingerprints(zoo_folder())
    return 0


def record_fingerprints(zoo: Path) -> None:
    """Write zoo/fingerprints.json, by which the runtime finds the model of a stream."""
    table = {path.stem: read_summary(path).fingerprint.hex() for path in sorted(zoo.glob(f"*{SUFFIX}"))}
    (zoo / "fingerprints.json").write_text(json.dumps(table, indent=1) + "\n")


def read_curves(run: Path) -> list[dict[str, float]]:
    """The metrics of a training, a row for each time it was validated."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def measure_levels(codec: Codec, path: Path, data: str, test: ImageSet, every: int) -> Iterator[dict[str, Any]]:
    """Each level on training, validation and test images."""
    training = evenly_spaced(load_dataset(data, "train").images, GAP_IMAGES)
    validation = load_dataset(data, "validation").images
    for level in levels_to_measure(codec.model, every):
        point = measure_model(codec, path, test.images, None, level=level)
        print(describe(point.point), file=sys.stderr)
        yield {
            "level": level,
            "beta": point.beta,
            "coded_latents": point.coded_latents,
            "distortion_nats": point.distortion_nats,
            "train": asdict(measure_set(codec, training, level)),
            "validation": asdict(measure_set(codec, validation, level)),
            "test": point.point.to_dict(),
        }


def measure_exact(codec: Codec, data: str, test: ImageSet) -> dict[str, dict[str, Any]]:
    """Files of training, validation and test images, each of which came back exactly."""
    training = evenly_spaced(load_dataset(data, "train").images, GAP_IMAGES)
    sets = {"train": training, "validation": load_dataset(data, "validation").images, "test": test.images}
    return {name: measure_files(codec, images) for name, images in sets.items()}


def measure_set(codec: Codec, images: NDArray[np.uint8], level: int) -> SetPoint:
    """The point of a level over images uint8 (n, h, w), in memory."""
    streams = lossy_streams(codec, images, level)
    symbols = np.stack([codec.lossy.parse(stream)[1] for stream in streams])
    return SetPoint(
        images=len(images),
        file_bytes=float(np.mean([len(stream) for stream in streams])),
        information_bytes=float(codec.lossy.information_bits(symbols, level).mean()) / 8,
        psnr_db=psnr_db_from_mse(float(mse(images, codec.lossy.synthesise(symbols, level)).mean())),
    )


if __name__ == "__main__":
    raise SystemExit(main())
