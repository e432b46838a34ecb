"""Weights of an analysis in few bytes: rounded in the model, stored as they are there."""

import numpy as np
import torch
from torch import nn

from vaecodec.codec.analysis import AnalysisSession
from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.families.lossless.export import export_lossless_analysis
from vaecodec.families.lossless.finish import shrink_weights
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.modelfile.analysis_weights import unpack_weights
from vaecodec.recipes.onnx_export import LinearParts, round_to_bytes


def test_a_layer_in_two_parts_computes_the_same() -> None:
    torch.manual_seed(0)
    layer, x = nn.Linear(9, 4), torch.randn(7, 9)
    torch.testing.assert_close(LinearParts(layer, 6)(x), layer(x))


def test_rounding_to_bytes_moves_a_weight_by_half_a_step_at_most() -> None:
    torch.manual_seed(1)
    layer = nn.Linear(50, 6)
    before = layer.weight.detach().clone()
    round_to_bytes(layer)
    step = layer.weight.abs().amax(dim=1, keepdim=True) / 127
    assert ((layer.weight - before).abs() <= 0.51 * step).all()
    torch.testing.assert_close((layer.weight / step).round() * step, layer.weight)


def test_beside_moments_the_weights_of_the_pixels_are_bytes_and_the_graph_computes_what_the_model_does() -> None:
    torch.manual_seed(2)
    model = LosslessVAE(
        LosslessConfig(16, 20, latents=4, bit_depth=1, units=32, moments=3, normalised=True, map_units=8)
    )
    with torch.no_grad():  # moments outweigh pixels, as they do in a trained model
        model.analysis.layers.enter.weight[:, 320:].mul_(100)
    x = (torch.rand(5, 16, 20) < 0.3).float()
    before = model.analyse(x)
    shrink_weights(model.analysis)
    after = model.analyse(x)
    assert (after - before).abs().max() < 0.05 * before.std()
    graph = export_lossless_analysis(model, torch.arange(4))
    stored = {one.numbers.shape: one.numbers.dtype for one in unpack_weights(graph.weights)}
    assert stored == {(32, 320): np.int8}
    pixels = (255 * x).numpy().astype(np.uint8)
    np.testing.assert_allclose(AnalysisSession(graph)(pixels), after.detach().numpy(), atol=1e-3)
