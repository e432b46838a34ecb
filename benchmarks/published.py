"""The published points of VAE and β-VAE, reached again: the reference's network, pictures, loss and steps.

    python -m benchmarks.published [--data mnist|dsprites] [--beta 1|4] [--steps N] [--runs DIR] [--no-train]

MNIST brought to 32×32 by bilinear resizing (all 60,000 training images) and all 737,280 images of dSprites, drawn by
vaecodec.data's renderer; batches of 64, Adam at 5e-4, 10 latents, Bernoulli likelihood, sums in nats; the points are
averages over the training set, of dSprites over one image in twelve of it, evenly spread. As the reference does,
375,000 steps of MNIST and 345,000 of dSprites, in the first 10,000 of which β rises from 0; unlike it, the learning
rate falls to zero within them. Beside the points stand the same averages over MNIST's test set, and over the real
dSprites that are at hand. Where there is a GPU the runs are trained on it side by side, in minutes; on one core a run
takes most of a day, and --steps takes fewer, β rising in the same share of them. Into
results/published-<data>-beta-<β>.json, with the curve against steps; a run that is done is not repeated.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measuring.float_model import bound, trained_model
from benchmarks.measuring.images import DATA, Images
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.runs import runs_folder
from benchmarks.studies.graph_training import HARDWARE, GraphRun, train_side_by_side
from benchmarks.studies.published_points import BETAS, PUBLISHED, REFERENCE_STEPS, PublishedPoint
from benchmarks.studies.reference_network import REFERENCE_FAMILY
from vaecodec.data import load_dataset
from vaecodec.data.dsprites_factors import COUNT, classes_of, default_rows
from vaecodec.data.dsprites_renderer import render
from vaecodec.recipes.batches import all_over
from vaecodec.recipes.config import FinishConfig, OptimiserConfig, TrainingConfig
from vaecodec.recipes.objective_config import ObjectiveConfig
from vaecodec.recipes.sizes import ModelConfig
from vaecodec.training.loop import train
from vaecodec.training.run_folder import CHECKPOINT

WARMUP_STEPS = 10_000  # the reference's
SIDES = {"mnist": 32, "dsprites": 64}
SPLITS = ("train", "validation", "test")
CURVE_POINTS, CURVE_IMAGES = 60, 2000  # evenly spaced ones of the training set, at each point of the curve
DRAWN_TOGETHER = 4096  # images of dSprites
WITHIN = 0.10


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, store; 1 where a run is missing, else 0. Not to reach a published point is a result as well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.published", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", choices=DATA, action="append", help="default: both")
    parser.add_argument("--beta", type=float, choices=BETAS, action="append", help="default: both")
    parser.add_argument("--steps", type=int, help="of each run; default: as many as the reference takes")
    parser.add_argument("--runs", type=Path, help="folder of the runs; default $VAECODEC_RUNS, else runs/")
    parser.add_argument("--no-train", action="store_true", help="measure the runs that are done, train none")
    options = parser.parse_args(arguments)
    points = [(data, beta) for data in options.data or DATA for beta in options.beta or BETAS]
    configs = {point: reference_config(*point, options.steps) for point in points}
    folders = {point: (options.runs or runs_folder()) / config.name for point, config in configs.items()}
    if not options.no_train:
        train_all(configs, folders)
    missing = False
    for point, config in configs.items():
        if not (folders[point] / CHECKPOINT).is_file():
            print(f"{config.name}: missing", file=sys.stderr)
            missing = True
            continue
        result = compare(point, config, folders[point])
        write_results(RESULTS / f"{config.name}.json", result, seed=config.seed)
        print(f"{config.name}: {result['reached']} published {result['published']}", file=sys.stderr)
    return int(missing)


def train_all(configs: dict[tuple[str, float], TrainingConfig], folders: dict[tuple[str, float], Path]) -> None:
    """On the GPU side by side, else one after the other."""
    side_by_side = []
    torch.backends.cudnn.allow_tf32 = False  # convolutions in float32, as on a CPU
    for (data, beta), config in configs.items():
        images, folder = training_images(data), folders[data, beta]
        few = images[all_over(len(images), CURVE_IMAGES)]
        if torch.cuda.is_available():
            side_by_side.append(GraphRun(config, images, few, folder, torch.device("cuda")))
        else:
            train(config, images, few, folder, resume=True)
    train_side_by_side(side_by_side)


@cache
def training_images(data: str) -> Images:
    """The training images as the reference takes them, uint8 (n, side, side)."""
    if data == "mnist":
        return resized_mnist("train", "validation")
    chunks = np.array_split(np.arange(COUNT), COUNT // DRAWN_TOGETHER)
    images = np.empty((COUNT, SIDES[data], SIDES[data]), np.uint8)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for rows, drawn in zip(chunks, pool.map(draw, chunks), strict=True):
            images[rows] = drawn
    return images


def measured_images(data: str) -> Images:
    """The training images that the point is an average over: all, or one in twelve."""
    return training_images(data) if data == "mnist" else draw(default_rows())


def other_images(data: str) -> Images:
    """MNIST's test set, or the real dSprites."""
    if data == "mnist":
        return resized_mnist("test")
    return np.concatenate([load_dataset(data, split).images for split in SPLITS])


def resized_mnist(*splits: str) -> Images:
    """MNIST at 32×32."""
    every = np.concatenate([load_dataset("mnist", split).images for split in splits])
    size = (SIDES["mnist"], SIDES["mnist"])
    return np.stack([np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)) for image in every])


def draw(rows: NDArray[np.int64]) -> Images:
    """Images of dSprites by their numbers."""
    return render(classes_of(rows))


def reference_config(data: str, beta: float, steps: int | None = None) -> TrainingConfig:
    """One run."""
    side = SIDES[data]
    channels = (32,) * (3 if side == 32 else 4)
    steps = steps or REFERENCE_STEPS[data]
    between = max(steps // CURVE_POINTS, 1)
    return TrainingConfig(
        name=f"published-{data}-beta-{beta:g}",
        data=data,
        family=REFERENCE_FAMILY,
        model=ModelConfig(side, side, latents=10, channels=channels, hidden=256),
        objective=ObjectiveConfig(beta=beta, warmup_steps=WARMUP_STEPS * steps // REFERENCE_STEPS[data]),
        optimiser=OptimiserConfig(
            steps=steps,
            batch_size=64,
            learning_rate=5e-4,
            warmup_steps=0,
            validate_every=between,
            checkpoint_every=between,
        ),
        finish=FinishConfig(),
    )


def compare(point: tuple[str, float], config: TrainingConfig, folder: Path) -> dict[str, Any]:
    """The trained model over the training set beside the published point, and the curve."""
    data, _ = point
    curve = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    trainable = trained_model(folder).to("cuda" if torch.cuda.is_available() else "cpu")
    images, others = measured_images(data), other_images(data)
    reached, apart = (PublishedPoint(*bound(trainable, some)) for some in (images, others))
    published = PUBLISHED[point]
    off = {name: getattr(reached, name) / getattr(published, name) - 1 for name in ("reconstruction_nats", "kl_nats")}
    return {
        "config": config.to_dict(),
        "images": len(images),
        "steps": curve[-1]["step"],
        "trained_on": json.loads((folder / HARDWARE).read_text()) if (folder / HARDWARE).exists() else "cpu",
        "train_seconds": curve[-1]["elapsed_s"],
        "reached": asdict(reached),
        "published": asdict(published),
        "off": off,
        "within_10_per_cent": all(abs(value) <= WITHIN for value in off.values()),
        "test_set" if data == "mnist" else "real_images": {"images": len(others), **asdict(apart)},
        "curve": curve,
    }


if __name__ == "__main__":
    sys.exit(main())
