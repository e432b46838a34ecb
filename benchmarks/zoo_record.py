"""The training record that ships beside a released model: zoo/NAME.json.

    python -m benchmarks.zoo_record RUN           after copying RUN/NAME.vaem into vaecodec/zoo

Config, data hash and versions come from the model file, the curves from the run's metrics, and the results are measured
on the whole test set with the file in the zoo, through real files.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.classical import describe_set
from benchmarks.machine import write_results
from benchmarks.measure import measure_model
from benchmarks.sweep import last_metrics
from vaecodec.data import load_dataset
from vaecodec.runtime.codec import load
from vaecodec.runtime.installed import SUFFIX, zoo_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo_record", description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="the run folder that the model was trained in")
    options = parser.parse_args(arguments)
    config = json.loads((options.run / "config.json").read_text())
    path = zoo_folder() / f"{config['name']}{SUFFIX}"
    codec = load(path)
    test = load_dataset(config["data"], "test")
    curves = [json.loads(line) for line in (options.run / "metrics.jsonl").read_text().splitlines()]
    record = {
        "name": codec.model.name,
        "family": codec.model.family,
        "fingerprint": codec.fingerprint.hex(),
        **codec.model.about,
        "curves": curves,
        "test": {**describe_set(test), **measure_model(codec, path, test.images, last_metrics(options.run)).to_dict()},
    }
    write_results(path.with_suffix(".json"), record, seed=config["seed"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
