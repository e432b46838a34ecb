"""The published points of VAE and β-VAE, reached again: the reference's network, pictures and loss.

    python -m benchmarks.published [--data mnist|dsprites] [--beta 1|4] [--runs DIR] [--no-train]

MNIST brought to 32×32 by bilinear resizing (all 60,000 training images) and the training part of the real dSprites,
batches of 64, Adam at 5e-4, 10 latents, Bernoulli likelihood, sums in nats; the points are averages over the training
set. The reference takes 375,000 steps of MNIST and 345,000 of dSprites, in the first 10,000 of which β rises from 0;
STEPS says how many are taken here (β rises in the same share of them, and the learning rate falls to zero within them),
and the stored curve what was reached on the way. Into results/published-<data>-beta-<β>.json; a run that is done is not
repeated.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.family_float import bound, trained_model
from benchmarks.family_runs import DATA
from benchmarks.machine import RESULTS, write_results
from benchmarks.reference_network import REFERENCE_FAMILY
from benchmarks.sweep import runs_folder
from vaecodec.data import ImageSet, load_dataset
from vaecodec.models.config import ModelConfig
from vaecodec.training.batches import all_over
from vaecodec.training.config import FinishConfig, ObjectiveConfig, OptimiserConfig, TrainingConfig
from vaecodec.training.loop import train

BETAS = (1.0, 4.0)
REFERENCE_STEPS, REFERENCE_WARMUP = {"mnist": 375_000, "dsprites": 345_000}, 10_000
STEPS = {"mnist": 140_000, "dsprites": 18_000}  # about two hours and one, on one core
SIDES = {"mnist": 32, "dsprites": 64}
CURVE_IMAGES = 2000  # evenly spaced ones of the training set, at each point of the curve
WITHIN = 0.10

Images = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PublishedPoint:
    """Nats an image, means over the training set (disentangling-vae, Dubois et al. 2019)."""

    reconstruction_nats: float
    kl_nats: float


PUBLISHED = {
    ("mnist", 1.0): PublishedPoint(118.8, 19.69),
    ("mnist", 4.0): PublishedPoint(138.8, 10.99),
    ("dsprites", 1.0): PublishedPoint(18.0, 25.40),
    ("dsprites", 4.0): PublishedPoint(35.6, 15.35),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, store; 1 where a run is missing, else 0. Not to reach a published point is a result as well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.published", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", choices=DATA, action="append", help="default: both")
    parser.add_argument("--beta", type=float, choices=BETAS, action="append", help="default: both")
    parser.add_argument("--runs", type=Path, help="folder of the runs; default $VAECODEC_RUNS, else runs/")
    parser.add_argument("--no-train", action="store_true", help="measure the runs that are done, train none")
    options = parser.parse_args(arguments)
    missing = False
    for data in options.data or DATA:
        images = reference_images(data)
        for beta in options.beta or BETAS:
            config = reference_config(data, beta)
            folder = (options.runs or runs_folder()) / config.name
            if not options.no_train:
                few = images[all_over(len(images), CURVE_IMAGES)]
                train(config, images, few, folder, resume=True)
            if not (folder / "checkpoint.pt").is_file():
                print(f"{config.name}: missing", file=sys.stderr)
                missing = True
                continue
            result = compare(config, folder, images)
            write_results(RESULTS / f"{config.name}.json", result, seed=config.seed)
            print(f"{config.name}: {result['reached']} published {result['published']}", file=sys.stderr)
    return int(missing)


def reference_images(data: str) -> Images:
    """The training images as the reference takes them, uint8 (n, side, side)."""
    if data != "mnist":
        return load_dataset(data, "train").images
    parts: list[ImageSet] = [load_dataset(data, split) for split in ("train", "validation")]
    every = np.concatenate([part.images for part in parts])
    return np.stack([_resized(image, SIDES[data]) for image in every])


def reference_config(data: str, beta: float) -> TrainingConfig:
    """One run."""
    side = SIDES[data]
    channels = (32,) * (3 if side == 32 else 4)
    steps = STEPS[data]
    return TrainingConfig(
        name=f"published-{data}-beta-{beta:g}",
        data=data,
        family=REFERENCE_FAMILY,
        model=ModelConfig(side, side, latents=10, channels=channels, hidden=256),
        objective=ObjectiveConfig(beta=beta, warmup_steps=REFERENCE_WARMUP * steps // REFERENCE_STEPS[data]),
        optimiser=OptimiserConfig(
            steps=steps,
            batch_size=64,
            learning_rate=5e-4,
            warmup_steps=0,
            validate_every=steps // 60,
            checkpoint_every=steps // 60,
        ),
        finish=FinishConfig(),
    )


def compare(config: TrainingConfig, folder: Path, images: Images) -> dict[str, Any]:
    """The trained model over the whole training set beside the published point, and the curve."""
    curve = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    trainable = trained_model(folder)
    reached = PublishedPoint(*bound(trainable, images))
    published = PUBLISHED[config.data, config.objective.beta]
    off = {name: getattr(reached, name) / getattr(published, name) - 1 for name in ("reconstruction_nats", "kl_nats")}
    return {
        "config": config.to_dict(),
        "images": len(images),
        "steps": curve[-1]["step"],
        "train_seconds": curve[-1]["elapsed_s"],
        "reached": {"reconstruction_nats": reached.reconstruction_nats, "kl_nats": reached.kl_nats},
        "published": {"reconstruction_nats": published.reconstruction_nats, "kl_nats": published.kl_nats},
        "off": off,
        "within_10_per_cent": all(abs(value) <= WITHIN for value in off.values()),
        "curve": curve,
    }


def _resized(image: Images, side: int) -> Images:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR))


if __name__ == "__main__":
    sys.exit(main())
