"""Cutting dead units: what is left computes the same."""

import pytest
import torch

from vaecodec.layers.residual import NORMALISED, ResidualMLP
from vaecodec.recipes.dead_units import cut_dead_units


def half_dead_network() -> ResidualMLP:
    """Every other unit of the stream, and of the hidden layers, has a bias that little outweighs; others wake often."""
    torch.manual_seed(0)
    network = ResidualMLP(12, 20, 2, 5)
    with torch.no_grad():
        network.enter.bias[::2], network.enter.bias[1::2] = -1000, 1
        for block in network.blocks:
            torch.nn.init.normal_(block.outer.weight)
            block.inner.bias[::2], block.inner.bias[1::2] = 1, -1000
    return network


@torch.no_grad()
def test_what_no_input_wakes_goes_and_the_results_stay() -> None:
    network, x = half_dead_network(), torch.randn(300, 12)
    small = cut_dead_units(network, x.split(100))
    assert small.enter.out_features == 10
    assert all(block.inner.out_features <= 10 for block in small.blocks)
    torch.testing.assert_close(small(x), network(x))


@torch.no_grad()
def test_of_a_share_only_the_inputs_that_wake_a_cut_unit_change() -> None:
    network, x = half_dead_network(), torch.randn(300, 12)
    x[:3] *= 10_000  # these wake everything
    assert cut_dead_units(network, x.split(100)).enter.out_features > 10
    small = cut_dead_units(network, x.split(100), share=0.02)
    assert small.enter.out_features == 10
    torch.testing.assert_close(small(x[3:]), network(x[3:]))


@torch.no_grad()
def test_a_unit_stays_where_all_are_dead() -> None:
    network, x = half_dead_network(), torch.randn(30, 12)
    network.enter.bias.fill_(-1000)
    small = cut_dead_units(network, x.split(100))
    assert small.enter.out_features == 1
    torch.testing.assert_close(small(x), network(x))


def test_a_network_that_normalises_its_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="normalised"):
        cut_dead_units(ResidualMLP(4, 8, 1, 2, NORMALISED), [torch.zeros(3, 4)])
