"""Descent: the steps that finishing takes."""

import pytest
import torch
from torch import nn

from vaecodec.recipes.descent import descend


def layer() -> nn.Linear:
    made = nn.Linear(1, 1)
    with torch.no_grad():
        made.weight.fill_(3.0)
        made.bias.fill_(-1.0)
    return made


def test_it_asks_for_every_step_in_order_and_goes_down() -> None:
    network, asked, x = layer(), [], torch.linspace(-1, 1, 8)[:, None]

    def nats_of(step: int) -> torch.Tensor:
        asked.append(step)
        return network(x).square().mean()

    before = nats_of(-1).item()
    descend(network, nats_of, steps=50, learning_rate=0.1)
    assert asked == list(range(-1, 50))
    assert nats_of(50).item() < before / 10


def test_its_steps_are_adams_at_half_a_cosine() -> None:
    """A slope that never changes moves Adam by the learning rate: all steps together are the sum of the cosine."""
    network = layer()
    descend(network, lambda step: network.weight.sum(), steps=4, learning_rate=0.5)
    rates = [0.5 * (1 + torch.cos(torch.tensor(torch.pi * step / 4)).item()) / 2 for step in range(4)]
    assert network.weight.item() == pytest.approx(3.0 - sum(rates), abs=1e-5)


def test_no_steps_leave_the_weights_alone() -> None:
    network = layer()
    descend(network, lambda step: network.weight.sum(), steps=0, learning_rate=0.5)
    assert network.weight.item() == 3.0
