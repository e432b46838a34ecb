"""The training loop: steps, validation, metrics as JSON lines, checkpoints, exact resume.

run folder:  config.json   metrics.jsonl   checkpoint.pt
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from tqdm import tqdm

from vaecodec.errors import CheckpointError, OutputError, VaecodecError
from vaecodec.models.base import VAE
from vaecodec.models.conditioned import ConditionedVAE
from vaecodec.models.registry import build
from vaecodec.training.batches import NOISE_STREAM, Batches, stream_seed
from vaecodec.training.checkpoint import CHECKPOINT, Checkpoint, load_matching, save_checkpoint
from vaecodec.training.conditioned import ConditionedTrainable
from vaecodec.training.config import OptimiserConfig, TrainingConfig
from vaecodec.training.objective import Losses, Trainable

VALIDATION_IMAGES = 2000  # enough for a curve; the whole set is used at export


AnyTrainable = Trainable | ConditionedTrainable


class Diverged(VaecodecError):
    """The objective is no longer a finite number."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """device: "cpu" or "auto" (what Accelerate finds); mixed_precision: "no", "bf16" or "fp16"."""

    device: str = "auto"
    mixed_precision: str = "no"


def train(
    config: TrainingConfig,
    images: npt.NDArray[np.uint8],
    validation: npt.NDArray[np.uint8],
    folder: Path,
    *,
    resume: bool = False,
    hardware: Hardware | None = None,
    show_progress: bool = True,
) -> AnyTrainable:
    """Train to the config's last step and return the trained model, on the CPU.

    images, validation: uint8 (n, h, w). Raises OutputError where the folder holds a run and `resume` is not set,
    CheckpointError where the checkpoint is of another config, Diverged.
    """
    run = _Run(config, images, validation, folder, hardware or Hardware())
    run.start(resume)
    run.steps(show_progress)
    return run.trained()


class _Run:
    """One run's state, between start() and trained()."""

    def __init__(
        self,
        config: TrainingConfig,
        images: npt.NDArray[np.uint8],
        validation: npt.NDArray[np.uint8],
        folder: Path,
        hardware: Hardware,
    ) -> None:
        self.config, self.folder = config, folder
        unused = DistributedDataParallelKwargs(
            find_unused_parameters=True
        )  # uniform noise leaves the variance head out
        self.accelerator = Accelerator(
            cpu=hardware.device == "cpu", mixed_precision=hardware.mixed_precision, kwargs_handlers=[unused]
        )
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        chosen = config.optimiser
        self.batches = Batches(
            images, chosen.batch_size, config.seed, shift_pixels=chosen.shift_pixels, rank=rank, world=world
        )
        self.validation = validation[:VALIDATION_IMAGES]
        trainable = make_trainable(config)
        optimiser = torch.optim.Adam(trainable.parameters(), lr=chosen.learning_rate)
        self.trainable, self.optimiser = self.accelerator.prepare(trainable, optimiser)
        self.noise = torch.Generator(device=self.accelerator.device)
        self.step, self.elapsed_s = 0, 0.0

    def start(self, resume: bool) -> None:
        """Begin the folder, or take up the checkpoint that is there."""
        there = (self.folder / CHECKPOINT).exists()
        if there and not resume:
            raise OutputError(f"{self.folder} holds a run already; go on with it by --resume, or name another folder")
        if there:
            self._take(load_matching(self.folder, self.config.to_dict()))
        self.accelerator.wait_for_everyone()  # nobody writes before everybody has looked
        if self.accelerator.is_main_process:
            self.folder.mkdir(parents=True, exist_ok=True)
            _keep_metrics_until(self.folder / "metrics.jsonl", self.step)
            (self.folder / "config.json").write_text(json.dumps(self.config.to_dict(), indent=1))

    def steps(self, show_progress: bool) -> None:
        """The loop itself."""
        optimiser = self.config.optimiser
        hidden = not show_progress or not self.accelerator.is_main_process
        bar = tqdm(total=optimiser.steps, initial=self.step, disable=hidden, file=sys.stderr, unit="step")
        before = time.monotonic() - self.elapsed_s
        with bar:
            while self.step < optimiser.steps:
                losses = self._one_step()
                self.step += 1
                self.elapsed_s = time.monotonic() - before
                bar.update()
                last = self.step == optimiser.steps
                if self.step % optimiser.validate_every == 0 or last:
                    self._report(losses, bar)
                if self.step % optimiser.checkpoint_every == 0 or last:
                    self._save()

    def trained(self) -> AnyTrainable:
        """The model without Accelerate's wrapping."""
        plain: AnyTrainable = self.accelerator.unwrap_model(self.trainable)
        return plain.cpu().eval()

    def _one_step(self) -> Losses:
        self.trainable.train()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config.optimiser, self.step)
        seed = stream_seed(NOISE_STREAM, self.config.seed, self.step, self.accelerator.process_index)
        self.noise.manual_seed(seed)
        x = self.batches[self.step].to(self.accelerator.device)
        with self.accelerator.autocast():
            losses: Losses = self.trainable(x, self._beta(), self.noise)
        self.optimiser.zero_grad()
        self.accelerator.backward(losses.objective_nats)
        self.optimiser.step()
        return losses

    def _beta(self) -> float:
        objective = self.config.objective
        return objective.beta * min(1.0, (self.step + 1) / max(objective.warmup_steps, 1))

    @torch.no_grad()
    def _validate(self) -> Losses:
        plain = self.accelerator.unwrap_model(self.trainable).eval()  # the wrapped one would wait for other processes
        self.noise.manual_seed(stream_seed(NOISE_STREAM, self.config.seed))
        x = torch.from_numpy(self.validation.astype(np.float32) / 255).to(self.accelerator.device)
        parts = torch.split(x, 500)
        found = [plain(part, self.config.objective.beta, self.noise) for part in parts]
        weights = [len(part) / len(x) for part in parts]
        return Losses(
            *(sum(w * getattr(f, name) for w, f in zip(weights, found, strict=True)) for name in Losses.__slots__)
        )

    def _report(self, losses: Losses, bar: Any) -> None:
        if not math.isfinite(losses.objective_nats.item()):
            raise Diverged(
                f"step {self.step}: the objective is {losses.objective_nats.item()}; lower the learning rate"
            )
        if not self.accelerator.is_main_process:
            return
        held_out = self._validate()
        line = {
            "step": self.step,
            "elapsed_s": round(self.elapsed_s, 2),
            "train_distortion_nats": losses.distortion_nats.item(),
            "train_rate_nats": losses.rate_nats.item(),
            "validation_distortion_nats": held_out.distortion_nats.item(),
            "validation_rate_nats": held_out.rate_nats.item(),
            "validation_objective_nats": held_out.objective_nats.item(),
        }
        with open(self.folder / "metrics.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        rate_bits = line["validation_rate_nats"] / math.log(2)
        bar.set_postfix_str(f"rate {rate_bits:.1f} bits, distortion {line['validation_distortion_nats']:.1f} nats")

    def _save(self) -> None:
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            model = self.accelerator.unwrap_model(self.trainable).state_dict()
            state = self.optimiser.state_dict()
            save_checkpoint(self.folder, Checkpoint(self.step, self.elapsed_s, self.config.to_dict(), model, state))

    def _take(self, checkpoint: Checkpoint) -> None:
        try:
            self.accelerator.unwrap_model(self.trainable).load_state_dict(checkpoint.model)
            self.optimiser.load_state_dict(checkpoint.optimiser)
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(f"{self.folder / CHECKPOINT}: does not fit the model ({error})") from error
        self.step, self.elapsed_s = checkpoint.step, checkpoint.elapsed_s


def make_trainable(config: TrainingConfig) -> AnyTrainable:
    """A fresh model with the config's seed; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.seed))
        model = build(config.family, config.model)
        if isinstance(model, ConditionedVAE):
            return ConditionedTrainable(model, config.objective)
        assert isinstance(model, VAE)
        return Trainable(model, config.objective)


def learning_rate(config: OptimiserConfig, step: int) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step."""
    warm = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    return config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / config.steps))


def config_for(config: TrainingConfig, height: int, width: int) -> TrainingConfig:
    """The config with the geometry of the data that it is to be trained on."""
    return replace(config, model=replace(config.model, height=height, width=width))


def _keep_metrics_until(path: Path, step: int) -> None:
    """Drop the lines that stand after the checkpoint: the resumed run writes them again."""
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
    path.write_text("".join(line + "\n" for line in kept))
