"""The training record that ships beside a released model: zoo/NAME.json.

    python -m benchmarks.zoo_record RUN [--every K]                     after copying RUN/NAME.vaem into vaecodec/zoo
    python -m benchmarks.zoo_record LOSSY LOSSLESS --name NAME          of the models of two runs, joined as NAME

Where a run is not at hand, the record that was made of it (zoo/NAME.json) says the same of it. Config, data hash and
versions come from the model file, the curves from the run's metrics, and the results are measured on the whole test set
with the file in the zoo, through real files. A model of several levels is measured at every K-th, and there on training
and validation images too: the gap between them says how well it generalises. The same three sets are measured in bytes
where a model codes exactly.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring.exact_files import measure_exact_files
from benchmarks.measuring.images import describe_set, evenly_spaced
from benchmarks.measuring.machine import write_results
from benchmarks.measuring.measure import levels_to_measure, measure_model, measure_set
from benchmarks.measuring.points import describe
from benchmarks.measuring.runs import read_metrics
from vaecodec.codec.codec import Codec
from vaecodec.data import ImageSet, load_dataset
from vaecodec.modelfile.installed import SUFFIX, zoo_folder
from vaecodec.modelfile.summary import read_summary
from vaecodec.training.run_folder import CONFIG

GAP_IMAGES = 10_000  # of the training set, evenly spaced: as many as MNIST has for testing


@dataclass(frozen=True, slots=True)
class Training:
    """What is said of a training. curves: its metrics, a row for each time it was validated."""

    config: dict[str, Any]
    curves: list[dict[str, Any]]
    lossless_curves: list[dict[str, Any]] | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo_record", description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, nargs="+", help="run folder that the model was trained in, or record; or two")
    parser.add_argument("--name", help="of the model, where it is not that of the run")
    parser.add_argument("--every", type=int, default=1, help="of a model of several levels: every so many of them")
    options = parser.parse_args(arguments)
    trainings = [read_training(run) for run in options.run]
    config, curves = trainings[0].config, trainings[0].curves
    lossless_curves = trainings[1].curves if len(trainings) > 1 else trainings[0].lossless_curves
    path = zoo_folder() / f"{options.name or config['name']}{SUFFIX}"
    codec = Codec.load(path)
    test = load_dataset(config["data"], "test")
    record = {
        "name": codec.model.name,
        "family": codec.model.family,
        "fingerprint": codec.fingerprint.hex(),
        **codec.model.about,
        "curves": curves,
        "test": describe_set(test),
    }
    if lossless_curves is not None:
        record["lossless_curves"] = lossless_curves
    if codec.model.levels:
        record["test"] |= measure_model(codec, path, test.images, curves[-1]).to_dict()
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


def read_training(path: Path) -> Training:
    """Of a run's folder, or of the record that was made of it."""
    if path.is_file():
        record = json.loads(path.read_text(encoding="utf-8"))
        return Training(record["config"], record["curves"], record.get("lossless_curves"))
    return Training(json.loads((path / CONFIG).read_text(encoding="utf-8")), read_metrics(path))


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
    return {name: measure_exact_files(codec, images) for name, images in sets.items()}


if __name__ == "__main__":
    raise SystemExit(main())
