"""One step of training, on a CPU called, on a CUDA device replayed from one recorded graph.

    draw batch -> forward (bfloat16 on CUDA, but for latents and likelihoods) -> backward -> clip -> Adam -> average

Weights, moments, averages and the rate of learning are changed in place: a recorded graph reads their addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from vaecodec.families.photo.batches import Batches
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.objective import Losses, losses

CLIP = 1.0  # norm of the gradients of the networks that tell probabilities, and of those that make pixels, each
CALLED_STEPS = 3  # before the recording: libraries choose their kernels and take their memory
KEPT = 0.98  # of the reported means, from one step to the next
BETAS = (0.9, 0.99)
CAREFUL = 0.1  # of the rate, for the detail's transform and its steps: linear, with coherent inputs
ENTROPY = ("hyper_", "base_heads", "detail_heads", "prior", "log_z_gain")
LINEAR = ("detail_transform", "log_step")
TELLS, PAINTS, SCALES = KINDS = (0, 1, 2)  # what tells probabilities, what makes latents and pixels, LINEAR


def _kind(name: str) -> int:
    return TELLS if name.startswith(ENTROPY) else SCALES if name.startswith(LINEAR) else PAINTS


class Trainer:
    """A model, its average, Adam and the batches; `step` takes one step. The device is the batches'.

    learned: which parameters, by name. reported: means of objective, bpp and squared error (of 255) of late.
    """

    def __init__(self, model: Photo, batches: Batches, *, learned: Callable[[str], bool]) -> None:
        self.model, self.batches = model, batches
        self.device = batches.crops.device
        on_cuda = self.device.type == "cuda"
        self.names = [name for name, _ in model.named_parameters() if learned(name) and "quantiles" not in name]
        by_name = dict(model.named_parameters())
        for name, parameter in by_name.items():
            parameter.requires_grad_(name in self.names)
        self.parameters = [by_name[name] for name in self.names]
        self.average = [p.detach().clone() for p in self.parameters]
        self.decay = torch.zeros((), device=self.device)
        self.reported = torch.zeros(4, device=self.device)
        kinds = [_kind(name) for name in self.names]
        self.rates = [torch.zeros((), device=self.device) for _ in KINDS]
        groups = [
            {"params": [p for p, k in zip(self.parameters, kinds, strict=True) if k == kind], "lr": self.rates[kind]}
            for kind in KINDS
            if kind in kinds
        ]
        self.used_rates = [self.rates[kind] for kind in KINDS if kind in kinds]
        self.adam = torch.optim.Adam(groups, betas=BETAS, fused=True, capturable=on_cuda)
        self.clipped = [
            [p for p, k in zip(self.parameters, kinds, strict=True) if (k == TELLS) == tells] for tells in (True, False)
        ]
        for parameter in self.parameters:
            parameter.grad = torch.zeros_like(parameter)
        self.step: Callable[[], None] = self._step

    def set(self, rate: float, decay: float, *, transform_share: float = 1.0) -> None:
        """The learning rate, that of the transforms as a share of it, and the decay of the average, from now on."""
        for tensor, share in zip(self.rates, (1.0, transform_share, transform_share * CAREFUL), strict=True):
            tensor.fill_(rate * share)
        self.decay.fill_(decay)

    def record(self) -> None:
        """On CUDA: from now on `step` replays a recorded graph. Three steps are taken on the way, at the set rate."""
        if self.device.type != "cuda":
            return
        stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
            for _ in range(CALLED_STEPS):
                self._step()
        torch.cuda.current_stream(self.device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.batches.rng)
        with torch.cuda.graph(graph):
            self._step()
        self.step = graph.replay

    def averaged(self) -> dict[str, Tensor]:
        """The model's state dict with the average in place of what was learned."""
        return {**self.model.state_dict(), **dict(zip(self.names, self.average, strict=True))}

    def begin(self, step: int) -> None:
        """A run starts, or goes on after so many steps."""

    def _losses(self) -> Losses:
        """Of fresh pictures."""
        x, level = self.batches.draw()
        low = torch.autocast(self.device.type, torch.bfloat16, self.device.type == "cuda", cache_enabled=False)
        with low:
            coded = self.model(x.contiguous(memory_format=torch.channels_last), level)
        return losses(self.model.config, x, level, coded)

    def _step(self) -> None:
        found = self._losses()
        self.adam.zero_grad(set_to_none=False)
        found.objective.backward()  # type: ignore[no-untyped-call]
        for some in self.clipped:
            _clip(some)
        self.adam.step()
        with torch.no_grad():
            torch._foreach_mul_(self.average, self.decay)
            torch._foreach_add_(self.average, torch._foreach_mul([p.detach() for p in self.parameters], 1 - self.decay))
            one = torch.ones((), device=self.device)
            now = torch.stack((found.objective.detach(), found.rate_bpp.detach(), found.squared_error.detach(), one))
            self.reported.mul_(KEPT).add_(now, alpha=1 - KEPT)


def _clip(parameters: Iterable[nn.Parameter]) -> None:
    some = list(parameters)
    if some:
        torch.nn.utils.clip_grad_norm_(some, CLIP, foreach=True)
