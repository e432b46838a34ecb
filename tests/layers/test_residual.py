"""Residual layers: what a normalised stream keeps alive."""

import pytest
import torch

from vaecodec.families.conditioned.config import ConditionedConfig
from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.layers.residual import NORMALISED, RECTIFIED, Reading, ResidualMLP


@pytest.mark.parametrize(("reading", "alive"), [(RECTIFIED, False), (NORMALISED, True)])
def test_only_a_normalised_stream_survives_that_all_its_units_sink(reading: Reading, alive: bool) -> None:
    torch.manual_seed(0)
    layers = ResidualMLP(6, 32, 2, 3, reading)
    with torch.no_grad():
        layers.enter.bias.sub_(20)
        for block in layers.blocks:
            block.outer.weight.normal_(std=0.1)
            block.inner.bias.fill_(-0.01)
    layers(torch.randn(16, 6)).square().sum().backward()
    assert layers.enter.weight.grad is not None
    assert bool(layers.enter.weight.grad.abs().max() > 0) == alive


def test_a_rectified_stream_is_what_it_says() -> None:
    torch.manual_seed(1)
    layers, x = ResidualMLP(4, 8, 1, 2), torch.randn(5, 4)
    h = layers.enter(x)
    h = h + layers.blocks[0].outer(torch.relu(layers.blocks[0].inner(torch.relu(h))))
    torch.testing.assert_close(layers(x), layers.leave(torch.relu(h)))


@pytest.mark.parametrize("normalised", [False, True])
def test_configs_choose_the_analysis_alone(normalised: bool) -> None:
    wanted = NORMALISED if normalised else RECTIFIED
    lossless = LosslessVAE(LosslessConfig(8, 12, latents=3, units=8, map_units=8, normalised=normalised))
    assert lossless.analysis.layers.reading == wanted
    sizes = {"latents": 6, "units": 8, "hidden": 8, "encoder_units": 8, "levels": 4, "knots": 2}
    model = ConditionedVAE(ConditionedConfig(8, 12, **sizes, normalised=normalised))
    assert [block.reading for block in model.analysis.blocks] == [wanted] * 3
    assert [block.reading for block in model.synthesis.blocks] == [RECTIFIED] * 2
