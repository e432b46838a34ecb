"""The training loop: steps, validation, metrics as JSON lines, checkpoints, exact resume.

images (n, h, w) ──Batches──> x ──TrainingStep──> Losses ──Adam──> weights ──now and then──> metrics, checkpoint

Now and then: every so many steps, as the config says; and, since steps may be slow, some seconds after the first step
and then every minute. A signal that asks the run to end has it saved first (interrupt.py).
"""

from __future__ import annotations

import math
import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs

from vaecodec.errors import CheckpointError, ConfigError, OutputError, VaecodecError
from vaecodec.families.trainables import make_trainable
from vaecodec.recipes.batches import NOISE_STREAM, Batches, all_over, as_images, stream_seed
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.recipes.objective import Losses, Reached, TrainingStep
from vaecodec.recipes.schedule import beta_at, decayed, learning_rate
from vaecodec.training.checkpoint import Checkpoint, load_matching, refuse_differences, save_checkpoint
from vaecodec.training.conditions import conditions_of
from vaecodec.training.interrupt import SignalNote, Stopped
from vaecodec.training.log import append_metrics, keep_metrics_until, points_of, progress_bar, said_of
from vaecodec.training.run_folder import CHECKPOINT, write_config

VALIDATION_IMAGES = 2000  # enough for a curve; the whole set is used at export
REACHED_IMAGES = 400  # and for what the bar says
FIRST_SAVED_S, SAVED_EVERY_S = 10.0, 60.0  # whatever the config says: what a crash may cost, and a person may wait for
WARM_STEPS, TIMED_STEPS = 3, 12  # of seconds_a_step: the first ones allocate


class Diverged(VaecodecError):
    """The objective is no longer a finite number."""


def train(
    config: TrainingConfig,
    images: npt.NDArray[np.uint8],
    validation: npt.NDArray[np.uint8],
    folder: Path,
    *,
    resume: bool = False,
    hardware: Hardware | None = None,
    show_progress: bool = True,
) -> TrainingStep:
    """Train to the config's last step and return the trained model, on the CPU.

    images, validation: uint8 (n, h, w) or (n, h, w, 3). SIGINT and SIGTERM end the run with Stopped, once its step is
    saved; where several processes share a run, they do as ever. Raises OutputError where the folder holds a run and
    `resume` is not set, CheckpointError where the checkpoint is of another config or was made in other conditions,
    ConfigError where the hardware cannot do what is asked or there are more processes than images in a batch, Diverged.
    """
    run = _Run(config, images, validation, folder, hardware or Hardware())
    run.start(resume)
    run.steps(show_progress)
    return run.trained()


def seconds_a_step(
    config: TrainingConfig,
    images: npt.NDArray[np.uint8],
    validation: npt.NDArray[np.uint8],
    hardware: Hardware | None = None,
) -> float:
    """What a step of a run takes on this machine now: the median of some, whose weights are thrown away."""
    run = _Run(config, images, validation, Path(), hardware or Hardware())
    times = []
    for _ in range(WARM_STEPS + TIMED_STEPS):
        began = time.perf_counter()
        run.one_step()
        times.append(time.perf_counter() - began)
    return float(np.median(times[WARM_STEPS:]))


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
        try:
            self.accelerator = Accelerator(
                cpu=hardware.device == "cpu", mixed_precision=hardware.mixed_precision, kwargs_handlers=[unused]
            )
        except ValueError as error:  # fp16 on a CPU, or another precision than this process began with
            raise ConfigError(str(error)) from error
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        chosen = config.optimiser
        self.batches = Batches(
            images,
            chosen.batch_size,
            config.seed,
            shift_pixels=chosen.shift_pixels,
            shifted_steps=chosen.steps - chosen.unmoved_steps,
            rank=rank,
            world=world,
        )
        self.training = images
        self.validation = validation[all_over(len(validation), VALIDATION_IMAGES)]
        trainable = make_trainable(config, population=len(images))
        trainable.to(memory_format=torch.channels_last)  # convolutions take a tenth less time
        optimiser = torch.optim.Adam(trainable.learned(), lr=chosen.learning_rate, fused=True)
        self.trainable, self.optimiser = self.accelerator.prepare(trainable, optimiser)
        self.second_turn = trainable.second_turn(self.accelerator)
        self.conditions = conditions_of(self.accelerator, images)
        self.noise = torch.Generator(device=self.accelerator.device)
        self.step, self.elapsed_s = 0, 0.0

    def start(self, resume: bool) -> None:
        """Begin the folder, or take up the checkpoint that is there."""
        there = (self.folder / CHECKPOINT).exists()
        if there and not resume:
            raise OutputError(f"{self.folder} holds a run already; go on with it by --resume, or name another folder")
        if not there and self.accelerator.is_main_process:
            write_config(self.config, self.folder)  # first: beginning may take a while, and be interrupted
        if there:
            self._take(load_matching(self.folder, self.config))
        else:
            self._plain().begin(self.training)
        self.accelerator.wait_for_everyone()  # nobody writes before everybody has looked
        if self.accelerator.is_main_process:
            self.folder.mkdir(parents=True, exist_ok=True)
            keep_metrics_until(self.folder, self.step)
            write_config(self.config, self.folder)

    def steps(self, show_progress: bool) -> None:
        """The loop itself."""
        optimiser = self.config.optimiser
        hidden = not show_progress or not self.accelerator.is_main_process
        bar = progress_bar(optimiser.steps, self.step, hidden=hidden)
        before = time.monotonic() - self.elapsed_s
        due_s = self.elapsed_s + FIRST_SAVED_S
        noting = SignalNote() if self.accelerator.num_processes == 1 else None
        with bar, noting or nullcontext():
            while self.step < optimiser.steps:
                losses = self.one_step()
                self.step += 1
                self.elapsed_s = time.monotonic() - before
                bar.update()
                stopped = noting.number if noting is not None else 0
                last, due = self.step == optimiser.steps, self.elapsed_s >= due_s and noting is not None
                report, save = (
                    self.step % every == 0 or last or due
                    for every in (optimiser.validate_every, optimiser.checkpoint_every)
                )
                save = save or bool(stopped)
                if report or save:
                    self._refuse_divergence(losses)
                if report:
                    self._report(losses, bar)
                if save:
                    self._save()
                    due_s = self.elapsed_s + SAVED_EVERY_S
                if stopped and not last:
                    reason = signal.strsignal(stopped) or f"signal {stopped}"
                    raise Stopped(f"{reason}: step {self.step} of {optimiser.steps} is saved", stopped)

    def trained(self) -> TrainingStep:
        """The model without Accelerate's wrapping."""
        return self._plain().cpu().to(memory_format=torch.contiguous_format).eval()

    def _plain(self) -> TrainingStep:
        plain: TrainingStep = self.accelerator.unwrap_model(self.trainable)
        return plain

    def one_step(self) -> Losses:
        """The next step; its number and the clock are the caller's business."""
        self.trainable.train()
        began = self._plain().enter(self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config.optimiser, self.step, began)
        seed = stream_seed(NOISE_STREAM, self.config.seed, self.step, self.accelerator.process_index)
        self.noise.manual_seed(seed)
        x = self.batches[self.step].to(self.accelerator.device)
        with self.accelerator.autocast():
            losses: Losses = self.trainable(x, beta_at(self.config.objective, self.step), self.noise)
        self.optimiser.zero_grad()
        self.accelerator.backward(losses.objective_nats)
        self.optimiser.step()
        if self.second_turn is not None:
            highest = self.second_turn.highest_learning_rate
            self.second_turn.step(x, losses, decayed(highest, self.config.optimiser, self.step))
        return losses

    @torch.no_grad()
    def _validate(self) -> Losses:
        plain = self._plain().eval()  # the wrapped one would wait for other processes
        self.noise.manual_seed(stream_seed(NOISE_STREAM, self.config.seed))
        x = as_images(self.validation).to(self.accelerator.device)
        parts = torch.split(x, 500)
        found = [plain(part, self.config.objective.beta, self.noise) for part in parts]
        weights = [len(part) / len(x) for part in parts]
        return Losses(
            *(sum(w * getattr(f, name) for w, f in zip(weights, found, strict=True)) for name in Losses.__slots__)
        )

    @torch.no_grad()
    def _reached(self) -> tuple[Reached, ...]:
        x = as_images(self.validation[all_over(len(self.validation), REACHED_IMAGES)]).to(self.accelerator.device)
        return self._plain().eval().reached(x)

    def _refuse_divergence(self, losses: Losses) -> None:
        """The objective is of before the step, so the weights that the step made are looked at as well."""
        objective = losses.objective_nats.item()
        if not math.isfinite(objective):
            raise Diverged(f"step {self.step}: the objective is {objective}; lower the learning rate")
        if not all(bool(weights.isfinite().all()) for weights in self.trainable.parameters()):
            raise Diverged(f"step {self.step}: a weight is not finite; lower the learning rate")

    def _report(self, losses: Losses, bar: Any) -> None:
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
        points = points_of(self._reached())
        append_metrics(self.folder, line | ({"validation_points": points} if points else {}))
        bar.set_postfix_str(said_of(points, held_out), refresh=sys.stderr.isatty())

    def _save(self) -> None:
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            model = self._plain().state_dict()
            state = self.optimiser.state_dict()
            second = {} if self.second_turn is None else self.second_turn.optimiser.state_dict()
            scaler = {} if self.accelerator.scaler is None else self.accelerator.scaler.state_dict()
            config = self.config.to_dict()
            checkpoint = Checkpoint(self.step, self.elapsed_s, config, model, state, second, scaler, self.conditions)
            save_checkpoint(self.folder, checkpoint)

    def _take(self, checkpoint: Checkpoint) -> None:
        stored, here = checkpoint.conditions.to_dict(), self.conditions.to_dict()
        refuse_differences(self.folder, "other data or hardware", stored, here)
        try:
            self._plain().load_state_dict(checkpoint.model)
            self.optimiser.load_state_dict(checkpoint.optimiser)
            if self.second_turn is not None:
                self.second_turn.optimiser.load_state_dict(checkpoint.second_turn)
            if self.accelerator.scaler is not None:
                self.accelerator.scaler.load_state_dict(checkpoint.scaler)
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(f"{self.folder / CHECKPOINT}: does not fit the model ({error})") from error
        self.step, self.elapsed_s = checkpoint.step, checkpoint.elapsed_s
