"""Packing an exported analysis: how far weights move, and that the graph computes what the rounded weights say."""

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from vaecodec.codec.analysis import AnalysisSession
from vaecodec.modelfile.analysis_weights import Analysis, unpack_weights
from vaecodec.recipes.onnx_export import export_graph, halve_weights, round_to_bytes
from vaecodec.recipes.pack_analysis import FINE_STEPS, STEPS, floats_of, pack_analysis, round_weights

HEIGHT, WIDTH = 16, 24


class TwoLayers(nn.Module):
    """(b, h, w) → (b, 8); the first layer lies on a grid of bytes, the second does not."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(HEIGHT * WIDTH, 128), nn.Linear(128, 160)
        self.last = nn.Linear(160, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.last(self.second(self.first(x.flatten(1)).relu()).relu())
        return result


@pytest.fixture(scope="module")
def network() -> TwoLayers:
    torch.manual_seed(0)
    made = TwoLayers()
    halve_weights(made)
    round_to_bytes(made.first)
    return made


@pytest.fixture(scope="module")
def packed(network: TwoLayers) -> Analysis:
    return export_graph(network, {"images": torch.zeros(2, HEIGHT, WIDTH)})


def rounded_twin(network: TwoLayers, packed: Analysis) -> TwoLayers:
    twin = TwoLayers()
    twin.load_state_dict(network.state_dict())
    for tensor in unpack_weights(packed.weights):
        twin.get_parameter(tensor.name).data.copy_(torch.from_numpy(tensor.floats))
    return twin


def test_large_weights_leave_the_graph_and_those_of_bytes_stay_what_they_were(
    network: TwoLayers, packed: Analysis
) -> None:
    found = {tensor.name: tensor for tensor in unpack_weights(packed.weights)}
    assert set(found) == {"first.weight", "second.weight"}
    assert len(packed.graph) < 8000
    np.testing.assert_array_equal(found["first.weight"].floats, network.first.weight.detach().numpy())


def test_the_graph_computes_what_the_model_does_with_the_rounded_weights(network: TwoLayers, packed: Analysis) -> None:
    images = np.random.default_rng(1).integers(0, 256, (5, HEIGHT, WIDTH), dtype=np.uint8)
    with torch.no_grad():
        wanted = rounded_twin(network, packed)(torch.from_numpy(images.astype(np.float32) / 255))
    np.testing.assert_allclose(AnalysisSession(packed)(images), wanted.numpy(), atol=1e-5)


def test_the_symbols_are_those_of_the_same_weights_in_a_plain_graph(packed: Analysis) -> None:
    plain = onnx.load_model_from_string(packed.graph)
    for tensor in unpack_weights(packed.weights):
        plain.graph.initializer.append(numpy_helper.from_array(tensor.floats, tensor.name))
    images = np.random.default_rng(2).integers(0, 256, (7, HEIGHT, WIDTH), dtype=np.uint8)
    found = [AnalysisSession(one)(images) for one in (packed, Analysis(plain.SerializeToString()))]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("steps", [STEPS, FINE_STEPS])
def test_rounding_moves_weights_by_a_share_of_their_deviation(steps: int) -> None:
    values = np.random.default_rng(3).normal(size=(64, 400)).astype(np.float32)
    values[5] *= 20  # a row that bytes would make coarse
    moved = round_weights("w", values, steps).floats - values
    assert np.sqrt(np.square(moved).mean()) < 0.5 / steps * values.std()


def test_few_weights_that_outweigh_all_others_do_not_make_these_coarse() -> None:
    values = np.random.default_rng(4).normal(size=(12, 2000)).astype(np.float32)
    values[:, :4] *= 1000
    found = round_weights("w", values)
    assert found.numbers.dtype == np.int16
    rest = np.s_[:, 4:]
    assert np.abs(found.floats - values)[rest].mean() < 0.2 * np.abs(values)[rest].mean()


def test_a_row_of_zeros_stays_one() -> None:
    values = np.zeros((2, 9000), np.float32)
    values[1] = 1
    found = round_weights("w", values).floats
    np.testing.assert_array_equal(found[0], values[0])
    np.testing.assert_allclose(found[1], values[1], rtol=0.5 / STEPS)


def test_every_weight_of_a_plain_graph_is_found_by_its_name(network: TwoLayers, packed: Analysis) -> None:
    whole = floats_of(packed.whole())
    for name, parameter in rounded_twin(network, packed).named_parameters():
        np.testing.assert_array_equal(whole[name], parameter.detach().numpy())
    again = pack_analysis(packed.graph)
    assert not again.weights
