"""Train the photograph family; `python -m vaecodec.families.photo.train --help`. README.md beside this has the recipes.

crops, weights or none --KLT--> linear floor --steps--> checkpoint.pt, weights-K.npz, log.jsonl, curve.json
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from vaecodec.data.photographs import load_photographs
from vaecodec.errors import CheckpointError, ConfigError, VaecodecError
from vaecodec.families.photo import checkpoint
from vaecodec.families.photo.batches import Batches
from vaecodec.families.photo.evaluate import curve
from vaecodec.families.photo.klt import begin_linear, untrained_config
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.plan import Plan
from vaecodec.families.photo.prior import Bottleneck, LogisticMixture
from vaecodec.families.photo.replay import ReplayTrainer
from vaecodec.families.photo.step import ENTROPY, Trainer
from vaecodec.families.photo.weights import load_weights
from vaecodec.files.outputs import replacing

CHECKPOINT_S = 90.0
CHUNK = {"cuda": 20, "cpu": 1}  # steps between looks at the clock
LEARNED: dict[str, Callable[[str], bool]] = {
    "all": lambda name: True,
    "entropy": lambda name: name.startswith(ENTROPY) and not name.startswith(("hyper_analysis", "log_z_gain")),
    "heads": lambda name: name.startswith(("base_heads", "detail_heads")),
}


def arguments(values: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="vaecodec.families.photo.train", description="train the photograph family")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="packs of crops, or folders")
    parser.add_argument("--out", type=Path, required=True, help="run folder; a checkpoint there is gone on from")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="of training; the schedule is planned to end then")
    length.add_argument("--steps", type=int)
    parser.add_argument("--start", type=Path, nargs="+", default=[], help="weights-K.npz to start from")
    parser.add_argument("--learn", choices=sorted(LEARNED), default="all", help="what is not frozen")
    parser.add_argument("--store", type=int, default=0, help="samples of frozen transforms that are kept (replay.py)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--side", type=int, default=256, help="of a picture of a batch; a multiple of 64")
    parser.add_argument("--rate", type=float, default=6e-4, help="peak learning rate")
    parser.add_argument("--transform-share", type=float, default=1.0, help="of the rate, for what is no entropy model")
    parser.add_argument("--average", type=float, default=0.999, help="decay of the average of the weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="on a CPU: never more than cores are idle")
    parser.add_argument("--slim", action="store_true", help="store the averaged weights alone")
    parser.add_argument("--validate", type=Path, help="a pack that the curve is measured on at the end")
    return parser.parse_args(values)


def make_model(start: Sequence[Path]) -> tuple[Photo, bool]:
    """The model, and whether it has weights already. The prior is the one that the weights are of."""
    config, state = load_weights(start) if start else (untrained_config(), {})
    bottleneck = any(name.startswith("prior.model.") for name in state)
    prior = (Bottleneck if bottleneck else LogisticMixture)(config.hyper_channels)
    model = Photo(config, prior)
    if state:
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            raise CheckpointError(f"{start[0]}: weights of another network: {error}") from error
    return model, bool(state)


def make_trainer(model: Photo, batches: Batches, options: argparse.Namespace) -> Trainer:
    """What takes the steps. Raises ConfigError."""
    learned = LEARNED[options.learn]
    if not options.store:
        return Trainer(model, batches, learned=learned)
    if options.learn == "all":
        raise ConfigError("--store keeps what frozen transforms gave: --learn entropy or heads goes with it")
    return ReplayTrainer(model, batches, learned=learned, seed=options.seed, most=options.store)


def train(options: argparse.Namespace) -> None:
    """A run from its start, or its checkpoint, to its end."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    _prepare(device, options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    crops = np.concatenate([load_photographs(path, workers=4) for path in options.data])
    model, begun = make_model(options.start)
    if not begun:
        begin_linear(model, crops)
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    rng = torch.Generator(device)
    rng.manual_seed(options.seed)
    on_device = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous().to(device)
    batches = Batches(on_device, rng, options.batch, options.side, model.config.anchors - 1.0)
    trainer = make_trainer(model, batches, options)
    plan = Plan(options.steps, None if options.minutes is None else 60 * options.minutes)
    checkpoint.resume(options.out, trainer, plan)
    trainer.begin(plan.step)
    run(trainer, plan, options)
    if options.validate is not None:
        model.load_state_dict(trainer.averaged())
        pictures = list(load_photographs(options.validate))
        points = [asdict(point) for point in curve(model, pictures, range(model.config.anchors))]
        with replacing(options.out / "curve.json") as file:
            file.write(json.dumps(points, indent=1).encode())


def run(trainer: Trainer, plan: Plan, options: argparse.Namespace) -> None:
    """Steps until the plan is done; a checkpoint every 90 s and at the end."""
    trainer.set(plan.rate(options.rate), plan.decay(options.average), transform_share=options.transform_share)
    trainer.record()
    last, steps_then, spent_then = time.monotonic(), plan.step, plan.spent_s
    chunk = CHUNK[trainer.device.type]
    while not plan.done:
        trainer.set(plan.rate(options.rate), plan.decay(options.average), transform_share=options.transform_share)
        before = time.monotonic()
        for _ in range(chunk):
            trainer.step()
        if trainer.device.type == "cuda":
            torch.cuda.synchronize()
        for _ in range(chunk):
            plan.take((time.monotonic() - before) / chunk)
        if plan.advance == 0 or time.monotonic() - last > CHECKPOINT_S:
            plan.revise((plan.spent_s - spent_then) / (plan.step - steps_then))
        if time.monotonic() - last > CHECKPOINT_S:
            _report(trainer, plan, options)
            checkpoint.save(options.out, trainer, plan, exact=not options.slim)
            last, steps_then, spent_then = time.monotonic(), plan.step, plan.spent_s
    _report(trainer, plan, options)
    checkpoint.save(options.out, trainer, plan, exact=not options.slim)


def _report(trainer: Trainer, plan: Plan, options: argparse.Namespace) -> None:
    objective, rate_bpp, squared_error, weight = trainer.reported.tolist()
    means = [round(v / max(weight, 1e-9), 5) for v in (objective, rate_bpp, squared_error)]
    names = ("objective", "rate_bpp", "squared_error")
    line = {"step": plan.step, "progress": round(plan.progress, 4), "spent_s": round(plan.spent_s, 1)}
    text = json.dumps({**line, **dict(zip(names, means, strict=True))})
    with open(options.out / "log.jsonl", "a") as file:
        file.write(text + "\n")
    print(text, file=sys.stderr, flush=True)
    if not math.isfinite(objective):
        raise CheckpointError(f"step {plan.step}: the objective is not finite; the last checkpoint is whole")


def _prepare(device: torch.device, threads: int) -> None:
    if device.type == "cpu":
        torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True


def main(values: Sequence[str] | None = None) -> int:
    """0, or 1 with one line on stderr for what is wrong."""
    try:
        train(arguments(values))
    except VaecodecError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
