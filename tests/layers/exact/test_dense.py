"""Integer-exact layers in torch against the layers that they replace and the network that they export."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vaecodec.errors import NotExact
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense, Patches, Shuffle
from vaecodec.layers.exact.dense import ExactDense, patches, round_through, settle, shuffle
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.pixel_scales import SIGMOID
from vaecodec.layers.exact.symbols import SymbolRange
from vaecodec.layers.exact.synthesis import ExactSynthesis, ExactUpsample
from vaecodec.layers.transforms import ConvSynthesis
from vaecodec.modelfile.model import read_model
from vaecodec.recipes.sizes import ModelConfig

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("cin", "cout", "side"), [(1, 1, 1), (3, 5, 4), (8, 4, 7)])
def test_the_matrix_of_an_upsampling_layer_is_the_transposed_convolution(cin: int, cout: int, side: int) -> None:
    layer = nn.ConvTranspose2d(cin, cout, 4, stride=2, padding=1).double()
    x = torch.randn(2, cin, side, side, dtype=torch.float64)
    matrix = ExactUpsample.matrix(layer.weight)
    found = shuffle(patches(x.permute(0, 2, 3, 1), 2, 1) @ matrix.T + layer.bias.repeat(4), 2, 1)
    torch.testing.assert_close(found.permute(0, 3, 1, 2), layer(x))


def test_patches_and_shuffle_are_the_runtimes() -> None:
    x = torch.randint(0, 255, (2, 3, 4, 8)).float()
    for size, pad in ((1, 0), (2, 1), (3, 1), (3, 2)):
        np.testing.assert_array_equal(patches(x, size, pad), Patches((0,), size, pad).run(x.numpy()))
    for factor, crop in ((1, 0), (2, 0), (2, 1)):
        np.testing.assert_array_equal(shuffle(x, factor, crop), Shuffle((0,), factor, crop).run(x.numpy()))


def test_rounding_passes_the_gradient_through() -> None:
    x = torch.tensor([0.5, 1.5, -2.5, 0.7], requires_grad=True)
    y = round_through(x)
    assert y.tolist() == [0.0, 2.0, -2.0, 1.0]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0] * 4


def test_a_dense_layer_is_exact_in_float32_and_float64_and_equals_the_runtime() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(-127, 128, (64, 300)).astype(np.float32)
    bias = rng.integers(-(2**20), 2**20, 64).astype(np.float32)
    x = rng.integers(0, 256, (64, 300)).astype(np.float32)
    ExactNetwork(np.zeros(300, np.int32), np.full(300, 255, np.int32), (Dense((0,), weight, bias),))
    whole = x.astype(np.int64) @ weight.astype(np.int64).T + bias.astype(np.int64)
    np.testing.assert_array_equal(Dense((0,), weight, bias).run(x), whole)
    for dtype in (torch.float32, torch.float64):
        w, b, inputs = (torch.from_numpy(a).to(dtype) for a in (weight, bias, x))
        for batch in (1, 16, 64):
            np.testing.assert_array_equal(nn.functional.linear(inputs[:batch], w, b), whole[:batch])


def test_an_exact_dense_layer_is_close_to_the_float_one_and_within_its_range() -> None:
    weight, bias, reach = torch.randn(10, 20), torch.randn(10) * 30, torch.full((20,), 255.0)
    layer = ExactDense(weight, bias, reach, low=-4000, high=4000)
    x = torch.randint(0, 256, (50, 20)).float()
    exact, real = layer(x), x @ weight.T + bias
    assert (exact - real).abs().max() < 30  # of thousands: the weights have 7 bits
    assert torch.equal(exact, exact.round())
    narrow = ExactDense(weight, bias, reach, low=0, high=255)(x)
    assert narrow.min() >= 0
    assert narrow.max() <= 255


def network_of(layer: ExactDense, low: np.ndarray, high: np.ndarray) -> ExactNetwork:
    graph = ExactGraph(low, high)
    graph.exact_dense(layer, graph.input)
    return graph.network()


def test_channels_that_have_grown_over_the_bound_get_coarser_weights_and_the_others_stay() -> None:
    torch.manual_seed(1)
    layer = ExactDense(
        torch.randn(6, 20), torch.randn(6), torch.full((20,), 4095.0), low=-4000, high=4000, weight_limit=32767
    )
    low, high = np.full(20, -4095, np.int32), np.full(20, 4095, np.int32)
    before = layer.shift.clone()
    settle(layer)
    assert torch.equal(layer.shift, before)
    with torch.no_grad():
        layer.weight[2] *= 5
    with pytest.raises(NotExact):
        network_of(layer, low, high)
    settle(layer)
    assert (layer.shift < before).tolist() == [channel == 2 for channel in range(6)]
    network_of(layer, low, high)
    x = torch.randint(-10, 11, (50, 20)).float()
    assert (layer(x) - (x @ layer.weight.T + layer.bias).clamp(-4000, 4000)).abs().max() < 2


def meaning_of(config: ModelConfig, active: list[int]) -> SymbolRange:
    limit = torch.full((len(active),), 12)
    step = 0.2 + torch.rand(config.latents) * 0.3
    return SymbolRange(torch.randn(config.latents), step, torch.tensor(active, dtype=torch.int64), limit)


@pytest.mark.parametrize(
    ("config", "active"),
    [
        (ModelConfig(28, 28, latents=6, channels=(8, 16), hidden=32), [0, 1, 3, 5]),
        (ModelConfig(16, 24, latents=4, channels=(12,), hidden=16, patch=2), [0, 1, 2, 3]),
        (ModelConfig(16, 16, latents=3, channels=(4, 4), hidden=8), []),
    ],
)
def test_the_exported_network_gives_torchs_pixels_which_are_close_to_the_float_ones(
    config: ModelConfig, active: list[int]
) -> None:
    synthesis = ConvSynthesis(config)
    meaning = meaning_of(config, active)
    symbols = torch.randint(-12, 13, (64, len(active)))
    exact = ExactSynthesis(synthesis, symbols.float(), meaning)
    with torch.no_grad():
        index = exact(symbols.float()).numpy()
        real = 255 * synthesis(meaning.dequantise(symbols.float())).sigmoid().numpy()
    pixels = exact.to_network()(symbols.numpy().astype(np.int32))[..., 0]
    np.testing.assert_array_equal(pixels, SIGMOID.table().ravel()[index.astype(int) + 1024])
    assert pixels.shape == (64, config.height, config.width)
    assert np.abs(pixels - real).mean() < 1.0
    assert np.abs(pixels - real).max() < 20  # where an activation beyond the calibrated quantile is clamped


def test_symbols_beyond_the_limit_are_clamped_alike_in_torch_and_in_the_network() -> None:
    config = ModelConfig(8, 8, latents=2, channels=(4,), hidden=8)
    exact = ExactSynthesis(ConvSynthesis(config), torch.zeros(4, 2), meaning_of(config, [0, 1]))
    far = torch.tensor([[1000, -1000], [12, -12]])
    with torch.no_grad():
        index = exact(far.float())
    assert torch.equal(index[0], index[1])
    pixels = exact.to_network()(far.numpy().astype(np.int32))
    np.testing.assert_array_equal(pixels[0], pixels[1])


def test_a_stored_network_evaluated_by_torch_in_both_precisions_gives_the_same_pixels() -> None:
    model = read_model(GOLDEN / "tiny.vaem")
    symbols = model.known_answer.symbols
    expected = model.synthesis(symbols)
    for dtype in (torch.float32, torch.float64):
        values = [torch.from_numpy(np.clip(symbols, model.synthesis.input_low, model.synthesis.input_high)).to(dtype)]
        for op in model.synthesis.ops:
            x = values[op.sources[0]]
            if isinstance(op, Dense):
                weight, bias = (torch.from_numpy(a).to(dtype) for a in (op.weight, op.bias))
                values.append(nn.functional.linear(x, weight, bias))
            else:
                values.append(torch.from_numpy(op.run(x.float().numpy())).to(dtype))
        np.testing.assert_array_equal(values[-1], expected)


def test_the_pixel_table_is_the_sigmoid_rounded() -> None:
    table = SIGMOID.table().ravel()
    logits = torch.arange(-1024, 1025) / SIGMOID.steps
    np.testing.assert_array_equal(table, (255 * logits.double().sigmoid()).round())
    assert (np.diff(table) >= 0).all()
    assert (table[0], table[1024], table[-1]) == (0, 128, 255)
