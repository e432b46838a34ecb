"""Descent: the loop by which finishing fits a network, or fine-tunes an exact twin on what it will see in files.

step ──nats_of──> what is minimised, a mean over the step's batch ──Adam, half a cosine down to zero──> network

An exact twin whose weights have grown over the bound of whole numbers is brought back within it at the end.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vaecodec.layers.exact.dense import settle
from vaecodec.recipes.config import FinishConfig


def descend(network: nn.Module, nats_of: Callable[[int], Tensor], *, steps: int, learning_rate: float) -> None:
    """Train the network's parameters for so many steps; `nats_of` is called once for each, in order."""
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
    for step in range(steps):
        nats = nats_of(step)
        optimiser.zero_grad()
        nats.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    settle(network)


def fine_tune(exact: nn.Module, nats_of: Callable[[int], Tensor], how: FinishConfig) -> None:
    """Train the integer layers of an exact twin for the steps and at the learning rate that the config says."""
    descend(exact, nats_of, steps=how.synthesis_steps, learning_rate=how.synthesis_learning_rate)
