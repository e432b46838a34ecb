"""Disentanglement of the kept models: every metric with its null and ceiling, and what entanglement costs in bits.

    python -m benchmarks.disentanglement [--data dsprites|mnist] [--only NAME ...] [--images N] [--seed S]

model, level ──codes_of──> means    ─┬─ METRICS: value, interval; ten rotations; above them or not
                           symbols  ─┤  information table: bits of each latent, and of each factor in it
                                     └─ entanglement: ΣH, its bounds; minibatch total correlation; pairs of one factor

Into results/disentanglement-<data>.json, after each model; models that stand there with the same images, seed and
fingerprint are not measured again. dSprites: real images made uniform over the factors (the
official file where it is there); most of them were trained on. MNIST's only factor is the digit: the metrics that need
two are left out. Metrics that fit a predictor are left out where a model codes more than 32 latents.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vaecodec
from benchmarks.measuring.machine import RESULTS, provenance, write_results
from benchmarks.pages.page import read
from benchmarks.studies.kept_models import DATA, IMAGES, Study, Subject, describe, load_study, subjects
from vaecodec.data.dsprites_factors import COUNT
from vaecodec.evaluation.codes import Codes, codes_of
from vaecodec.evaluation.disentanglement import (
    GroundTruth,
    Metric,
    against_null,
    entanglement,
)
from vaecodec.evaluation.disentanglement.information import classes, information_table
from vaecodec.evaluation.disentanglement.minibatch import minibatch_correlation_bits
from vaecodec.evaluation.disentanglement.pairs import pairs_accuracy
from vaecodec.evaluation.disentanglement.registry import METRICS

PROVENANCE = ("command", "time_utc", "git_commit", "git_changes")  # of a row, which may be older than the file
PREDICTED = ("dci-classifier", "dci-regressor", "sap", "infomec", "dci-es")
MOST_PREDICTED_LATENTS = 32  # forests and machines by latent: with nvae's 68 they take longer than all else together
TRAINING_IMAGES = {"dsprites": COUNT, "mnist": 60_000}  # what a minibatch's posteriors are said to stand for


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.disentanglement", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--data", choices=DATA, default="dsprites")
    parser.add_argument("--only", nargs="+", default=[], help="names of models, or parts of them")
    parser.add_argument("--images", type=int, default=IMAGES, help="at most so many; for trying the script")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="default: results/disentanglement-<data>.json")
    options = parser.parse_args(arguments)
    study = load_study(options.data, options.images, options.seed)
    path = options.out or RESULTS / f"disentanglement-{options.data}.json"
    results = begun(path, study, options.seed)
    for subject in subjects(options.data):
        if options.only and not any(part in subject.name for part in options.only):
            continue
        codec, started, rows = vaecodec.Codec.load(subject.model), time.monotonic(), results["models"]
        if (subject.name, codec.fingerprint.hex()) in {(row["name"], row["fingerprint"]) for row in rows}:
            continue
        row = measure(subject, codec, study, options.seed)
        others = [row for row in rows if row["name"] != subject.name]
        results["models"] = sorted([*others, row], key=lambda row: str(row["name"]))
        print(f"{subject.name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        write_results(path, results, seed=options.seed)
    return 0


def begun(path: Path, study: Study, seed: int) -> dict[str, Any]:
    """What stands in the file of the same images, seed and metrics; else the ceilings alone."""
    metrics = {m.name: {"title": m.title, "paper": m.paper, "sees_axes": m.sees_axes} for m in METRICS}
    there = read(path)
    if there is not None:
        same = (there["data"], there["metrics"], there["provenance"]["seed"]) == (describe(study), metrics, seed)
        if same:
            return {key: value for key, value in there.items() if key != "provenance"}
    print("ceilings", file=sys.stderr, flush=True)
    return {"data": describe(study), "metrics": metrics, "ceilings": ceilings(study, seed), "models": []}


def applicable(study: Study, latents: int) -> list[Metric]:
    """The metrics that mean something here and take no hour."""
    return [
        metric
        for metric in METRICS
        if study.truth.count >= metric.least_factors
        and (latents <= MOST_PREDICTED_LATENTS or metric.name not in PREDICTED)
    ]


def ceilings(study: Study, seed: int) -> dict[str, Any]:
    """What the true factors have as codes, and in ten rotations."""
    rng = np.random.default_rng(seed)
    floats = study.truth.factors.astype(np.float64)
    found: dict[str, Any] = {"floats": {}, "symbols": {}, "rotated floats": {}}
    for metric in applicable(study, study.truth.count):
        found["floats"][metric.name] = metric.ceiling(study.truth, rng=rng).to_dict()
        found["symbols"][metric.name] = metric.ceiling(study.truth, rng=rng, as_symbols=True).to_dict()
        nulls = metric.null(floats, study.truth, rng=rng) if study.truth.count > 1 else ()
        found["rotated floats"][metric.name] = [null.to_dict() for null in nulls]
    return found


def measure(subject: Subject, codec: vaecodec.Codec, study: Study, seed: int) -> dict[str, Any]:
    """All that is said of one model at one level."""
    here = provenance(seed=seed)
    codes = codes_of(codec, study.images, subject.level)
    rng = np.random.default_rng([seed, subject.level])
    return {
        "name": subject.name,
        "provenance": {name: here[name] for name in PROVENANCE},
        "model": codec.model.name,
        "family": codec.model.family,
        "fingerprint": codec.fingerprint.hex(),
        "level": subject.level,
        "latents": codes.latents,
        "coded_latents": codes.symbols.shape[1],
        "file_information_bits": float(codes.file_bits.mean()),
        "means": measure_codes(codes.means, study, rng),
        "symbols": measure_codes(codes.symbols, study, rng),
        "information": information(codes, study.truth),
        "entanglement": entangled(codes, study, rng),
        "pairs": pairs_accuracy(codes.means, study.truth, rng=rng).to_dict() if study.truth.count > 1 else None,
    }


def measure_codes(codes: NDArray[Any], study: Study, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Each metric's measurement with its null, and the verdict of each value against it."""
    found = []
    for metric in applicable(study, codes.shape[1]):
        said = metric.measure(codes, study.truth, rng=rng)
        nulls = metric.null(codes, study.truth, rng=rng) if metric.sees_axes else ()
        verdicts = {null.name: against_null(said[null.name], null).value for null in nulls}
        found.append({**said.to_dict(), "null": [null.to_dict() for null in nulls], "against_null": verdicts})
    return found


def information(codes: Codes, truth: GroundTruth) -> dict[str, Any]:
    """Bits of each latent's symbol, and what each knows of each factor, in bits (latents × factors)."""
    table = information_table(classes(codes.symbols), truth.factors)
    return {
        "latent_bits": table.codes.tolist(),
        "factor_bits": table.factors.tolist(),
        "mutual_bits": table.mutual.tolist(),
    }


def entangled(codes: Codes, study: Study, rng: np.random.Generator) -> dict[str, Any]:
    """Total correlation of the symbols by all estimators; the minibatch number is of means with the steps' noise."""
    found = entanglement(codes.symbols, rng=rng, source_bits=study.source_bits, population=study.population)
    sigma = np.broadcast_to(codes.steps / np.sqrt(12), codes.means.shape)  # of uniform noise of a step
    minibatch = minibatch_correlation_bits(codes.means, sigma, images=TRAINING_IMAGES[study.data], rng=rng)
    return {**asdict(found), "bounds": asdict(found.bounds), "minibatch_bits": minibatch}


if __name__ == "__main__":
    sys.exit(main())
