"""The distortion in nats of stored points, measured again; nothing else in their results is touched.

    python -m benchmarks.nats [RECORD ...]        default: every record of the zoo, and results/five-betas-mnist.json

A record of the zoo has its model beside it, whose levels are measured on the whole test set. The runs of five-betas
are not kept. Their likelihood is Gaussian, so the stored MSE gives their nats, but for the pixels' rounding to 8 bits,
and the costs are made anew of them. "nats_from" in a result says what was done and when.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import RESULTS, provenance, write_json
from benchmarks.measuring.measure import distortion_nats, objective_of
from benchmarks.measuring.stored import PROVENANCE
from benchmarks.studies.costs_at_beta import compare
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.errors import ModelError, ModelMismatch, ModelNotFound
from vaecodec.modelfile.installed import SUFFIX, zoo_folder

FIVE_BETAS = RESULTS / "five-betas-mnist.json"
SWEEPS = ("sweep", "conditioned", "conditioned_one_level_an_image")  # of five-betas
OF_MODEL = "the model, whose table of pixels says what a logit is"
OF_MSE = "the stored MSE of 8-bit pixels, over 2σ²"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where a record's model is not there, is another or cannot compress, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nats", description=__doc__.partition("\n")[0])
    parser.add_argument("record", type=Path, nargs="*", help="default: all that there are")
    options = parser.parse_args(arguments)
    failed = False
    for path in options.record or [*sorted(zoo_folder().glob("*-*.json")), FIVE_BETAS]:
        try:
            print(f"{path.name}: {'measured again' if measure_again(path) else 'as stored'}")
        except ModelError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            failed = True
    return int(failed)


def measure_again(path: Path) -> bool:
    """Whether a number of the result was another one; then it is stored anew. Raises ModelError."""
    result = json.loads(path.read_text(encoding="utf-8"))
    if "sweep" in result:
        found, what = from_mse(result), OF_MSE
    else:
        found, what = from_model(model_of(path, result), result), OF_MODEL
    if not any(found):
        return False
    if "sweep" in result:
        result["pairs"] = [compare(*pair) for pair in zip(result["sweep"], result["conditioned"], strict=True)]
    here = provenance(seed=None)
    write_json(path, result | {"nats_from": {"what": what, **{name: here[name] for name in PROVENANCE}}})
    return True


def model_of(record: Path, values: Mapping[str, Any]) -> Codec:
    """The model beside a record. Raises ModelError where it is not there or another."""
    path = record.with_suffix(SUFFIX)
    if not path.is_file():
        raise ModelNotFound(f"{path.name} is not beside its record")
    codec = Codec.load(path)
    if codec.fingerprint.hex() != values["fingerprint"]:
        raise ModelMismatch(f"{path.name} is another model than its record was made of")
    return codec


def from_model(codec: Codec, record: Mapping[str, Any]) -> list[bool]:
    """Every level of a record of the zoo, over the whole test set: whether its number was another."""
    objective, images = objective_of(codec), load_dataset(record["config"]["data"], "test").images
    changed = []
    for one in (record["test"], *record.get("levels", [])):
        level = one.get("level", 0)
        found = distortion_nats(codec, codec.lossy.analyse(images, level), images, objective, level=level)
        changed.append(replaced(one, found, f"{record['name']}, level {level}"))
    return changed


def from_mse(result: Mapping[str, Any]) -> list[bool]:
    """Every row of five-betas: whether its number was another."""
    pixels = result["data"]["height"] * result["data"]["width"]
    rows = [row for key in SWEEPS for row in result[key]]
    return [
        replaced(
            row,
            pixels * row["point"]["mse"] / 255**2 / (2 * row["pixel_sigma"] ** 2),
            f"{row['name']}, β {row['beta']:g}",
        )
        for row in rows
    ]


def replaced(point: dict[str, Any], nats: float, name: str) -> bool:
    """Put the number into the point; whether it was another, beyond the six digits that are stored."""
    before, point["distortion_nats"] = point["distortion_nats"], nats
    changed = not math.isclose(before, nats, rel_tol=1e-5)
    if changed:
        print(f"{name}: {before:.2f} -> {nats:.2f} nats", file=sys.stderr)
    return changed


if __name__ == "__main__":
    sys.exit(main())
