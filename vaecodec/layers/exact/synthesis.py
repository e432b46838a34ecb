"""ExactSynthesis: the integer-exact twin of ConvSynthesis, from symbols to pixels.

    symbols (b, n) ─ExactDense─ 0..255 ─ExactDense─ 0..255 ─(h, w, c)─ExactUpsample─ … ─> logit index ─table─> pixel

The logit index is round(128 · logit), clamped to ±1024; a table of 2,049 entries gives the pixel, 255 · sigmoid.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.exact.network import ExactNetwork
from vaecodec.layers.calibration import top_of_all
from vaecodec.layers.exact.dense import ACTIVATION_TOP, FIRST_WEIGHT_LIMIT, ExactDense, patches, shuffle
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.pixel_scales import SIGMOID
from vaecodec.layers.exact.symbols import SymbolRange
from vaecodec.layers.transforms import ConvSynthesis


class ExactUpsample(nn.Module):
    """A transposed convolution 4×4, stride 2, padding 1, as Patches(2, 1), Dense, Rescale, Shuffle(2, 1).

    Output row 2w-1+p sees input rows w-1 and w, through kernel rows p+2 and p; columns likewise.
    """

    def __init__(self, dense: ExactDense) -> None:
        super().__init__()
        self.dense = dense

    @staticmethod
    def matrix(kernel: Float[Tensor, "cin cout 4 4"]) -> Float[Tensor, "out in"]:
        """The matrix (2·2·cout, 2·2·cin) of a ConvTranspose2d kernel."""
        rows = torch.tensor([[2, 0], [3, 1]])  # [p, d]: kernel row for output phase p and window row d
        picked = kernel[:, :, rows][..., rows]  # cin cout p d q e
        cin, cout = kernel.shape[:2]
        return picked.permute(2, 4, 1, 3, 5, 0).reshape(4 * cout, 4 * cin)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Tensor:
        return shuffle(self.dense(patches(x, 2, 1)), 2, 1)

    def build(self, graph: ExactGraph, x: int) -> int:
        """Add the operations."""
        return graph.shuffle(graph.exact_dense(self.dense, graph.patches(x, 2, 1)), 2, 1)


class ExactSynthesis(nn.Module):
    """Made of a trained ConvSynthesis; `symbols` are a sample of training symbols, float (b, n), for calibration."""

    def __init__(self, synthesis: ConvSynthesis, symbols: Float[Tensor, "b n"], meaning: SymbolRange) -> None:
        super().__init__()
        self.config = synthesis.config
        self.limit: Tensor = meaning.limit
        tops = _activation_tops(synthesis, meaning.dequantise(symbols))
        units = [top / ACTIVATION_TOP for top in tops] + [1 / SIGMOID.steps]
        first, second = synthesis.linear_layers
        weight = first.weight * meaning.step  # the columns of latents that are not coded fall away
        bias = first.bias + first.weight @ meaning.center
        self.embed = ExactDense(
            weight[:, meaning.active] / units[0],
            bias / units[0],
            meaning.limit.float(),
            low=0,
            high=ACTIVATION_TOP,
            weight_limit=FIRST_WEIGHT_LIMIT,
        )
        order = _channels_last(self.config.feature_shape)
        self.expand = _hidden(second.weight[order], second.bias[order], units[0], units[1])
        layers = []
        for layer, before, after in zip(synthesis.transposed_layers, units[1:-1], units[2:], strict=True):
            last = layer is synthesis.transposed_layers[-1]
            assert layer.bias is not None
            matrix, bias = ExactUpsample.matrix(layer.weight), layer.bias.repeat(4)
            layers.append(ExactUpsample(_hidden(matrix, bias, before, after, logits=last)))
        self.upsample = nn.ModuleList(layers)

    def forward(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b h w"]:
        """The logit index of every pixel."""
        x = self.expand(self.embed(symbols.clamp(-self.limit, self.limit)))
        channels, height, width = self.config.feature_shape
        x = x.view(-1, height, width, channels)
        for layer in self.upsample:
            x = layer(x)
        return shuffle(x, self.config.patch, 0)[..., 0]

    def logits(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b h w"]:
        """What the likelihood takes."""
        return SIGMOID.logits_of(self.forward(symbols))

    def to_network(self) -> ExactNetwork:
        """The exported integers. Raises NotExact where fine-tuning has carried a layer over the bound."""
        limit = self.limit.numpy().astype(np.int32)
        graph = ExactGraph(-limit, limit)
        self.build_behind(graph, graph.exact_dense(self.embed, graph.input))
        return graph.network()

    def build_behind(self, graph: ExactGraph, embedded: int) -> int:
        """Add all operations but the first layer's, whose result is the value `embedded`; the number of the pixels."""
        _, height, width = self.config.feature_shape
        x = graph.reshape(graph.exact_dense(self.expand, embedded), height, width)
        for layer in self.upsample:
            x = cast("ExactUpsample", layer).build(graph, x)
        if self.config.patch > 1:
            x = graph.shuffle(x, self.config.patch)
        return graph.lookup(x, SIGMOID.table(), -SIGMOID.top)


def _hidden(weight: Tensor, bias: Tensor, before: float, after: float, *, logits: bool = False) -> ExactDense:
    """A layer between activations whose units are worth `before` and `after`."""
    reach = torch.full((weight.shape[1],), float(ACTIVATION_TOP))
    low, high = (-SIGMOID.top, SIGMOID.top) if logits else (0, ACTIVATION_TOP)
    return ExactDense(weight * (before / after), bias / after, reach, low=low, high=high)


def _channels_last(shape: tuple[int, int, int]) -> Tensor:
    """For each place of a (h, w, c) map, its place in the (c, h, w) map."""
    return torch.arange(shape[0] * shape[1] * shape[2]).view(shape).permute(1, 2, 0).reshape(-1)


@torch.no_grad()
def _activation_tops(synthesis: ConvSynthesis, y: Float[Tensor, "b latents"]) -> list[float]:
    """The value that becomes 255, after each ReLU."""
    tops = []
    for layer in synthesis.dense:
        y = layer(y).relu()
        tops.append(top_of_all(y))
    y = y.view(-1, *synthesis.config.feature_shape)
    for layer in synthesis.upsample[:-1]:
        y = layer(y).relu()
        tops.append(top_of_all(y))
    return tops
