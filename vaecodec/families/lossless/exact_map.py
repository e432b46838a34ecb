"""ExactGridMap: the integer-exact twin of GridMap, from symbols to a feature map of 0..255.

symbols (b, n) ─SymbolsToHidden─> 0..255 ─Dense─> 0..255 ─> (b, h/2, w/2, c)
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.exact.network import ExactNetwork
from vaecodec.families.lossless.map import GridMap
from vaecodec.layers.calibration import tops_of_channels
from vaecodec.layers.exact.dense import ACTIVATION_TOP
from vaecodec.layers.exact.residual import exact_layer
from vaecodec.layers.exact.symbols import SymbolRange, SymbolsToHidden


class ExactGridMap(nn.Module):
    """The twin of GridMap. unit (c,): what one unit of the map is worth."""

    unit: Tensor

    @torch.no_grad()
    def __init__(self, grid: GridMap, meaning: SymbolRange, symbols: Float[Tensor, "b n"]) -> None:
        super().__init__()
        self.shape = grid.shape
        self.hidden = SymbolsToHidden(grid.layers, meaning, symbols)
        sample = grid(meaning.dequantise(symbols)).permute(0, 2, 3, 1)
        self.register_buffer("unit", tops_of_channels(sample) / ACTIVATION_TOP)
        leave, height, width = grid.layers.leave, *self.shape[:2]
        self.leave = exact_layer(
            leave.weight, leave.bias, self.hidden.trunk.relu.unit, self.unit.repeat(height * width), 0, ACTIVATION_TOP
        )

    def forward(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b h w c"]:
        flat: Tensor = self.leave(self.hidden(symbols))
        return flat.view(-1, *self.shape)

    def to_network(self) -> ExactNetwork:
        """Raises NotExact."""
        graph = self.hidden.begin()
        flat = graph.exact_dense(self.leave, self.hidden.build(graph, graph.input))
        graph.reshape(flat, *self.shape[:2])
        return graph.network()
