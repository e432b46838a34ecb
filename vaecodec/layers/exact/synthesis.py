"""ExactSynthesis: the integer-exact twin of ConvSynthesis, from symbols to pixels.

    symbols (b, n) ─ExactDense─ 0..255 ─ExactDense─ 0..255 ─(h, w, c)─ExactUpsample─ … ─> logit index ─table─> pixel

The logit index is round(128 · logit), clamped to ±1024; a table of 2,049 entries gives the pixel, 255 · sigmoid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Lookup, Op, Reshape, Shuffle
from vaecodec.layers.exact.dense import ACTIVATION_TOP, FIRST_WEIGHT_LIMIT, ExactDense, ExactUpsample, shuffle
from vaecodec.layers.transforms import ConvSynthesis

LOGIT_STEPS = 128  # index units in one unit of the logit: the pixel moves by at most half a grey level a unit
LOGIT_TOP = 1024
CALIBRATION_QUANTILE = 0.9995  # activations beyond it are clamped


@dataclass(frozen=True, slots=True)
class SymbolRange:
    """What the symbols mean: y = center + step · symbol for `active` latents, the others stay at center.

    center, step (latents,); active: numbers of the n coded latents; limit (n,): larger |symbol| are clamped.
    """

    center: Float[Tensor, " latents"]
    step: Float[Tensor, " latents"]
    active: Tensor
    limit: Tensor

    def dequantise(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b latents"]:
        """Latents of symbols given as floats."""
        y = self.center.expand(len(symbols), -1).clone()
        y[:, self.active] += self.step[self.active] * symbols
        return y


class ExactSynthesis(nn.Module):
    """Made of a trained ConvSynthesis; `symbols` are a sample of training symbols, float (b, n), for calibration."""

    def __init__(self, synthesis: ConvSynthesis, symbols: Float[Tensor, "b n"], meaning: SymbolRange) -> None:
        super().__init__()
        self.config = synthesis.config
        self.limit: Tensor = meaning.limit
        tops = _activation_tops(synthesis, meaning.dequantise(symbols))
        units = [top / ACTIVATION_TOP for top in tops] + [1 / LOGIT_STEPS]
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
        return self.forward(symbols) / LOGIT_STEPS

    def to_network(self) -> ExactNetwork:
        """The exported integers. Raises NotExact where fine-tuning has carried a layer over the bound."""
        limit = self.limit.numpy().astype(np.int32)
        first = self.embed.ops(0)
        return ExactNetwork(-limit, limit, (*first, *self.after_embedding(len(first))))

    def after_embedding(self, embedded: int) -> tuple[Op, ...]:
        """All operations but the first layer's, whose result is the value `embedded`; they follow it at once."""
        ops: list[Op] = [*self.expand.ops(embedded)]
        _, height, width = self.config.feature_shape
        ops.append(Reshape((embedded + len(ops),), height, width))
        for layer in self.upsample:
            ops.extend(cast("ExactUpsample", layer).ops(embedded + len(ops)))
        if self.config.patch > 1:
            ops.append(Shuffle((embedded + len(ops),), self.config.patch, 0))
        ops.append(Lookup((embedded + len(ops),), pixel_table(), -LOGIT_TOP))
        return tuple(ops)


def pixel_table() -> npt.NDArray[np.float32]:
    """255 · sigmoid(index / 128), rounded; (1, 2049, 1)."""
    logit = np.arange(-LOGIT_TOP, LOGIT_TOP + 1, dtype=np.float64) / LOGIT_STEPS
    pixels: npt.NDArray[np.float32] = np.rint(255 / (1 + np.exp(-logit))).astype(np.float32)
    return pixels.reshape(1, -1, 1)


def _hidden(weight: Tensor, bias: Tensor, before: float, after: float, *, logits: bool = False) -> ExactDense:
    """A layer between activations whose units are worth `before` and `after`."""
    reach = torch.full((weight.shape[1],), float(ACTIVATION_TOP))
    low, high = (-LOGIT_TOP, LOGIT_TOP) if logits else (0, ACTIVATION_TOP)
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
        tops.append(_top(y))
    y = y.view(-1, *synthesis.config.feature_shape)
    for layer in synthesis.upsample[:-1]:
        y = layer(y).relu()
        tops.append(_top(y))
    return tops


def _top(x: Tensor) -> float:
    values = x.flatten()
    rank = max(1, int(len(values) * CALIBRATION_QUANTILE))
    return max(float(values.kthvalue(rank).values), 1e-6)
