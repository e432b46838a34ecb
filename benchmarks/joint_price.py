"""What entanglement costs the kept models: their symbols by a factorised prior and by a joint one, in real bytes.

    python -m benchmarks.joint_price [--data dsprites|mnist] [--only NAME ...] [--images N] [--seed S]

model, level ──codes_of──> symbols ──held_out──> tables of both priors ──encode_symbols, decoded again──> payloads

Into results/joint-price-<data>.json. Both priors are fitted to the same 80 % of the images; 300 others are coded.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import vaecodec
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.studies.kept_models import DATA, IMAGES, Study, Subject, describe, load_study, subjects
from vaecodec.evaluation.codes import codes_of
from vaecodec.evaluation.disentanglement.autoregressive import held_out
from vaecodec.evaluation.disentanglement.price import price


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.joint_price", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", choices=DATA, default="dsprites")
    parser.add_argument("--only", nargs="+", default=[], help="names of models, or parts of them")
    parser.add_argument("--images", type=int, default=IMAGES, help="at most so many; for trying the script")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="default: results/joint-price-<data>.json")
    options = parser.parse_args(arguments)
    study = load_study(options.data, options.images, options.seed)
    models: list[dict[str, Any]] = []
    for subject in subjects(options.data):
        if options.only and not any(part in subject.name for part in options.only):
            continue
        models.append(priced(subject, study, options.seed))
        print(f"{subject.name}: {models[-1]['saved_bytes']:.2f} bytes an image", file=sys.stderr, flush=True)
        results = {"data": describe(study), "models": models}
        write_results(options.out or RESULTS / f"joint-price-{options.data}.json", results, seed=options.seed)
    return 0


def priced(subject: Subject, study: Study, seed: int) -> dict[str, Any]:
    """One model's symbols under both priors; bits of its own tables beside them."""
    codec = vaecodec.Codec.load(subject.model)
    codes = codes_of(codec, study.images, subject.level)
    rng = np.random.default_rng([seed, subject.level])
    found = price(held_out(codes.symbols, rng=rng))
    return {
        "name": subject.name,
        "fingerprint": codec.fingerprint.hex(),
        "level": subject.level,
        "file_information_bits": float(codes.file_bits.mean()),
        **asdict(found),
        "saved_bytes": found.saved_bytes,
    }


if __name__ == "__main__":
    sys.exit(main())
