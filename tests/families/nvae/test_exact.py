"""The integer-exact twin of an nvae's trunk and of its priors: close to the float ones, exported to the bit."""

import math

import numpy as np
import pytest
import torch

from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.entropy.tables import TOTAL, CodingTables
from vaecodec.errors import BadField
from vaecodec.families.nvae.cells import Grow, ResidualCell
from vaecodec.families.nvae.config import MAX_GROUPS, NVAEConfig
from vaecodec.families.nvae.exact import ExactNVAESynthesis
from vaecodec.families.nvae.exact_cells import ExactCell, ExactGrow, as_last, stream_unit
from vaecodec.families.nvae.model import NVAE
from vaecodec.families.nvae.prior_networks import (
    FRACTIONS,
    LEAST_SCALE,
    REACH,
    SCALE_STEP,
    ExactPrior,
    PriorNetwork,
    shape_counts,
)
from vaecodec.layers.exact.pixel_scales import SIGMOID
from vaecodec.layers.exact.tables import gate_table, swish_table

SMALL = NVAEConfig(
    12, 12, sides=(1, 3), groups=(2, 2), group_channels=(3, 2), widths=(12, 8), head_width=6, prior_units=16
)


def wake(module: torch.nn.Module) -> None:
    """A fresh cell is the identity; these are not."""
    for cell in module.modules():
        if isinstance(cell, ResidualCell):
            torch.nn.init.normal_(cell.outer.weight, std=0.1)


@pytest.fixture(scope="module")
def model() -> NVAE:
    torch.manual_seed(7)
    model = NVAE(SMALL).eval()
    wake(model)
    return model


@pytest.fixture(scope="module")
def symbols() -> torch.Tensor:
    return torch.randint(-6, 7, (64, SMALL.latents), generator=torch.Generator().manual_seed(1)).float()


@pytest.fixture(scope="module")
def exact(model: NVAE, symbols: torch.Tensor) -> ExactNVAESynthesis:
    return ExactNVAESynthesis(model, torch.full((SMALL.latents,), 9.0), symbols)


def test_tables_give_whole_numbers_and_the_functions_slope() -> None:
    table = swish_table(100, 0.05, 0.02)
    index = torch.arange(-100.0, 101, requires_grad=True)
    found = table(index)
    expected = torch.nn.functional.silu(index.detach() * 0.05) / 0.02
    assert (found - expected).abs().max() <= 0.5001
    found.sum().backward()
    assert index.grad is not None
    assert index.grad[100].item() == pytest.approx(0.5 * 0.05 / 0.02, rel=1e-5)
    assert gate_table()(torch.tensor([-1023.0, 0.0, 1023.0])).tolist() == [0, 128, 256]


@pytest.mark.parametrize("side", [1, 4])
def test_an_exact_cell_is_close_to_the_float_one(side: int) -> None:
    torch.manual_seed(2)
    cell, h = ResidualCell(8, side), torch.randn(50, 8, side, side)
    torch.nn.init.normal_(cell.outer.weight, std=0.3)
    with torch.no_grad():
        unit = stream_unit(h, cell(h))
        found = ExactCell(cell, unit, h)((as_last(h) / unit).round()) * unit
        assert (found - as_last(cell(h))).abs().mean() < 0.02 * cell(h).std()


def test_an_exact_grow_puts_every_channel_where_the_float_one_does() -> None:
    torch.manual_seed(2)
    grow, h = Grow(8, 3, 4), torch.randn(50, 8, 2, 2)
    with torch.no_grad():
        before, after = stream_unit(h), stream_unit(grow(h))
        found = ExactGrow(grow, before, after, h)((as_last(h) / before).round()) * after
        assert found.shape == (50, 8, 8, 3)
        assert (found - as_last(grow(h))).abs().mean() < 0.02 * grow(h).std()


def test_the_exported_network_gives_torchs_pixels_which_are_close_to_the_float_ones(
    model: NVAE, exact: ExactNVAESynthesis, symbols: torch.Tensor
) -> None:
    with torch.no_grad():
        index = exact(symbols).numpy()
        real = 255 * model.synthesise(symbols).sigmoid().numpy()
        far = exact(10 * symbols).numpy()
    network = exact.to_network()
    for values, given in ((index, symbols), (far, 10 * symbols)):  # beyond the limit too
        pixels = network(given.numpy().astype(np.int32))[..., 0]
        np.testing.assert_array_equal(pixels, SIGMOID.table().ravel()[values.astype(int) + 1024])
    pixels = network(symbols.numpy().astype(np.int32))[..., 0]
    assert np.abs(pixels - real).mean() < 1.5


def test_the_gradient_reaches_every_weight_of_the_exact_trunk(exact: ExactNVAESynthesis, symbols: torch.Tensor) -> None:
    exact.logits(symbols).square().sum().backward()
    for name, parameter in exact.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_as_many_groups_as_are_allowed_fit_into_a_network() -> None:
    config = NVAEConfig(
        16, 16, sides=(2, 4, 8), groups=(1, 1, MAX_GROUPS - 2), group_channels=(1, 1, 1), widths=(4, 4, 4), head_width=4
    )
    model = NVAE(config).eval()
    exact = ExactNVAESynthesis(model, torch.full((config.latents,), 9.0), torch.randn(8, config.latents).round())
    assert exact.to_network().result.shape == (16, 16, 1)


def test_an_exact_prior_is_close_to_the_float_one_and_exported_to_the_bit(symbols: torch.Tensor) -> None:
    torch.manual_seed(3)
    network, before, own = PriorNetwork(SMALL, 6, 18), symbols[:, :6], symbols[:, 6:24]
    torch.nn.init.normal_(network.layers.blocks[0].outer.weight, std=0.1)
    exact = ExactPrior(network, torch.full((6,), 9.0), before)
    with torch.no_grad():
        means, scales = exact(before)
        real, log_scale = network(before)
        assert (means / FRACTIONS - real).abs().mean() < 0.06
        assert (scales * SCALE_STEP + math.log(LEAST_SCALE) - log_scale).abs().mean() < 0.06
        assert exact.nats(before, own).mean() == pytest.approx(float(network.nats(before, own).mean()), rel=0.05)
    told = exact.to_network()(before.numpy().astype(np.int32))
    np.testing.assert_array_equal(told[:, :18], means)
    np.testing.assert_array_equal(np.clip(told[:, 18:], 0, 47), scales)


def test_the_shape_table_is_a_gaussian_convolved_with_the_unit_uniform(symbols: torch.Tensor) -> None:
    counts = shape_counts()
    assert counts.shape == (48, FRACTIONS, 2 * REACH + 2)
    assert (counts.sum(axis=2, dtype=np.int64) == TOTAL).all()
    sigma, mean = LEAST_SCALE * math.exp(30 * SCALE_STEP), 5 / FRACTIONS
    for symbol in (-2, 0, 1, 3):
        edges = [0.5 * math.erfc(-(symbol + half - mean) / (sigma * math.sqrt(2))) for half in (-0.5, 0.5)]
        assert counts[30, 5, REACH + symbol] / TOTAL == pytest.approx(edges[1] - edges[0], rel=1e-3)
    inside = slice(1, 2 * REACH + 1)  # symbol s around 1/4 is 1 - s around 3/4
    np.testing.assert_allclose(counts[30, 4, inside].astype(int), counts[30, 12, inside][::-1].astype(int), atol=1)


def test_means_find_their_columns_by_floor_and_remainder() -> None:
    shapes = ShapeTable(shape_counts())
    own = CodingTables(np.array([7, 0, 0, 0], np.int32), np.full((4, 2), TOTAL // 2, np.uint32), np.arange(4) > 0)
    found = shapes.tables(np.array([3, -1, 16, 5], np.int32), np.array([0, 0, -5, 900], np.int32), own)
    assert found.offsets.tolist() == [7, -1 - REACH, 1 - REACH, -REACH]
    np.testing.assert_array_equal(found.counts[1], shapes.counts[0, FRACTIONS - 1])
    np.testing.assert_array_equal(found.counts[2], shapes.counts[0, 0])
    np.testing.assert_array_equal(found.counts[3], shapes.counts[-1, 5])
    assert not found.coded[0]


@pytest.mark.parametrize(
    "counts",
    [
        shape_counts().astype(np.int64),
        shape_counts()[0],
        shape_counts()[:0],
        shape_counts() + np.uint32(1),
        shape_counts()[:, :, :1],
    ],
)
def test_shape_tables_that_break_a_rule_are_refused(counts: np.ndarray) -> None:
    with pytest.raises(BadField):
        ShapeTable(counts)
