"""Trainings side by side on one GPU, each step replayed from a recorded graph.

A network of the published points is so small that launching its kernels one by one takes longer than they run. Here the
images, their order, the learning rates and β lie on the device, a step is recorded as a CUDA graph, and several runs
replay theirs in turn, each on a stream of its own. On a CPU the step is simply called.

run folder as vaecodec.training.loop has it, and what it was made on:  hardware.json
"""

import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring.float_model import bound
from benchmarks.measuring.images import Images
from vaecodec.families.trainables import make_trainable
from vaecodec.files.outputs import replacing
from vaecodec.recipes.batches import NOISE_STREAM, Batches, stream_seed
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.objective import Losses, Trainable
from vaecodec.recipes.schedule import beta_at, learning_rate
from vaecodec.training.checkpoint import (
    Checkpoint,
    load_matching,
    refuse_differences,
    save_checkpoint,
)
from vaecodec.training.conditions import Conditions
from vaecodec.training.log import append_metrics, keep_metrics_until
from vaecodec.training.loop import Diverged
from vaecodec.training.run_folder import CHECKPOINT, write_config

HARDWARE = "hardware.json"
CALLED_STEPS = 3  # before the recording: libraries choose their kernels and take their memory


def train_side_by_side(runs: Sequence["GraphRun"]) -> None:
    """Every run to its last step; a run that has a checkpoint goes on from it. Raises CheckpointError, Diverged."""
    left = [run for run in runs if not run.done]
    while left:
        for run in left:
            run.advance()
        left = [run for run in left if not run.done]


class GraphRun:
    """One run of a plain Trainable. images, validation: uint8 (n, h, w); validation is looked at for the curve alone.

    Noise is drawn anew at each point of the curve, so a run resumed at its checkpoint sees what it would have seen.
    """

    def __init__(
        self, config: TrainingConfig, images: Images, validation: Images, folder: Path, device: torch.device
    ) -> None:
        self.config, self.folder, self.validation = config, folder, validation
        optimiser = config.optimiser
        trainable = make_trainable(config, population=len(images)).to(device)
        assert isinstance(trainable, Trainable)
        self.trainable = trainable
        self.batches = Batches(images, optimiser.batch_size, config.seed)
        self.images = torch.from_numpy(images).to(device)
        self.rate = torch.zeros((), device=device)
        on_gpu = device.type == "cuda"
        self.adam = torch.optim.Adam(trainable.learned(), lr=self.rate, fused=True, capturable=on_gpu)
        self.stream = torch.cuda.Stream(device) if on_gpu else None  # type: ignore[no-untyped-call]
        self.noise = torch.Generator(device)
        stretch = optimiser.validate_every  # steps whose numbers lie on the device
        self.position = torch.zeros(1, dtype=torch.int64, device=device)
        self.order = torch.zeros((stretch, optimiser.batch_size), dtype=torch.int64, device=device)
        self.rates, self.betas = (torch.zeros(stretch, device=device) for _ in range(2))
        self.conditions = Conditions(hashlib.sha256(images.data).hexdigest(), "no", device.type, 1)
        self.called, self.losses = 0, Losses(self.rate, self.rate, self.rate)
        self.replay: Callable[[], None] = self._step
        self.step = 0
        self.elapsed_s = self._begin(device)
        if on_gpu:
            torch.cuda.synchronize(device)  # all of the above is there before another stream reads it
        self.before = time.monotonic() - self.elapsed_s

    @property
    def done(self) -> bool:
        """Whether the last step is taken and stored."""
        return self.step == self.config.optimiser.steps

    def advance(self) -> None:
        """One step; at a point of the curve what there is to store is stored."""
        with self._on_stream():
            if self.step % len(self.rates) == 0 or not self.called:
                self._fill()
            if self.stream is not None and self.called == CALLED_STEPS:
                self._record()
            self.replay()
            self.called += 1
            self.step += 1
            if self.step % len(self.rates) == 0 or self.done:
                self._report()

    def _begin(self, device: torch.device) -> float:
        """Begin the folder, or take up its checkpoint: the seconds spent so far."""
        elapsed_s = 0.0
        if (self.folder / CHECKPOINT).exists():
            there = load_matching(self.folder, self.config)
            stored, here = there.conditions.to_dict(), self.conditions.to_dict()
            refuse_differences(self.folder, "other data or hardware", stored, here)
            self.trainable.load_state_dict(there.model)
            self.adam.load_state_dict(there.optimiser)
            self.adam.param_groups[0]["lr"] = self.rate
            self.step, elapsed_s = there.step, there.elapsed_s
        write_config(self.config, self.folder)
        keep_metrics_until(self.folder, self.step)
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        hardware = {"device": name, "torch": str(torch.__version__)}
        with replacing(self.folder / HARDWARE) as file:
            file.write(json.dumps(hardware, indent=1).encode())
        return elapsed_s

    def _on_stream(self) -> AbstractContextManager[object]:
        return nullcontext() if self.stream is None else torch.cuda.stream(self.stream)

    def _fill(self) -> None:
        """The numbers of the steps up to the next point of the curve."""
        steps = range(self.step, self.step + len(self.rates))
        self.order.copy_(torch.from_numpy(np.stack([self.batches.chosen(step) for step in steps])))
        self.rates.copy_(torch.tensor([learning_rate(self.config.optimiser, step) for step in steps]))
        self.betas.copy_(torch.tensor([beta_at(self.config.objective, step) for step in steps]))
        self.position.zero_()
        self.noise.manual_seed(stream_seed(NOISE_STREAM, self.config.seed, self.step, 0))

    def _step(self) -> None:
        """A step whose every number is read from the device."""
        chosen = self.order.index_select(0, self.position)[0]
        self.rate.copy_(self.rates.index_select(0, self.position)[0])
        beta = self.betas.index_select(0, self.position)[0]
        x = self.images.index_select(0, chosen).float() / 255
        self.losses = self.trainable(x, beta, self.noise)
        self.adam.zero_grad()
        self.losses.objective_nats.backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        self.position.add_(1)

    def _record(self) -> None:
        self.adam.zero_grad()
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.noise)
        with torch.cuda.graph(graph, stream=self.stream):
            self._step()
        self.replay = graph.replay

    def _report(self) -> None:
        distortion, rate = self.losses.distortion_nats.item(), self.losses.rate_nats.item()
        held_distortion, held_rate = bound(self.trainable, self.validation)
        if not all(map(math.isfinite, (distortion, rate, held_distortion, held_rate))):
            raise Diverged(f"{self.config.name}: step {self.step}: the objective is not finite")
        self.elapsed_s = time.monotonic() - self.before
        line = {
            "step": self.step,
            "elapsed_s": round(self.elapsed_s, 2),
            "train_distortion_nats": distortion,
            "train_rate_nats": rate,
            "validation_distortion_nats": held_distortion,
            "validation_rate_nats": held_rate,
            "validation_objective_nats": held_distortion + self.config.objective.beta * held_rate,
        }
        append_metrics(self.folder, line)
        model, state = self.trainable.state_dict(), self.adam.state_dict()
        config = self.config.to_dict()
        save_checkpoint(
            self.folder, Checkpoint(self.step, self.elapsed_s, config, model, state, {}, {}, self.conditions)
        )
        print(f"{self.config.name} {self.step}: {held_distortion:.2f} + {held_rate:.2f} nats", file=sys.stderr)
