"""The integer-exact twins of an nvae's cells; values have their channels last, one unit for all channels of a value.

h, ±2047 ─┬─ Swish ─ ±255 ─Dense─ ±2047 ─ Swish ─ ±255 ─Dense─ ±2047 ─ · gate / 256 ─(+)─>
          └──────────────────────────────────────────────────────────────────────────┘
gate: sum over the map ─Dense─ 0..255 ─Dense─ logit index ─table─> 0..256, the same at every position

The runtime has no pooling: a window as large as the map and a Dense of ones are the sum, a Dense with a row for each
position and `shuffle` bring the gate back to the map.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.families.nvae.cells import Grow, ResidualCell, SqueezeExcitation
from vaecodec.layers.calibration import reach_of_channels, top_of_all, tops_of_channels
from vaecodec.layers.exact.dense import ACTIVATION_TOP, ExactDense, round_through, shuffle
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.residual import STREAM_MARGIN, STREAM_TOP, build_windows, exact_layer, window_of, windows
from vaecodec.layers.exact.tables import GATE_ONE, GATE_STEPS, GATE_TOP, gate_table, swish_table

SMALLEST_REACH = 1e-3  # of a map, or a channel, that is zero throughout

Maps = Float[Tensor, "b c h w"]


def stream_unit(*maps: Maps) -> float:
    """What one unit of a stream is worth that reaches as far as these maps."""
    reach = max(float(reach_of_channels(as_last(each)).max()) for each in maps)
    return STREAM_MARGIN * max(reach, SMALLEST_REACH) / STREAM_TOP


def as_last(maps: Maps) -> Float[Tensor, "b h w c"]:
    """Channels last."""
    return maps.permute(0, 2, 3, 1)


class ExactSwish(nn.Module):
    """Stream to activations. before: the stream's unit; sample: of the stream, float."""

    @torch.no_grad()
    def __init__(self, before: float, sample: Maps) -> None:
        super().__init__()
        self.unit = max(top_of_all(F.silu(sample).abs()), SMALLEST_REACH) / ACTIVATION_TOP
        self.table = swish_table(STREAM_TOP, before, self.unit)

    def forward(self, h: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        active: Tensor = self.table(h)
        return active

    def build(self, graph: ExactGraph, h: int) -> int:
        """Add the operation."""
        return self.table.build(graph, h)


class ExactGate(nn.Module):
    """The twin of SqueezeExcitation over maps of side × side. unit: of the maps; sample: of them, float."""

    @torch.no_grad()
    def __init__(self, gate: SqueezeExcitation, side: int, unit: float, sample: Maps) -> None:
        super().__init__()
        self.side, positions = side, side * side
        # As fine as the mean can be, and small enough for the next layer's weights to be fine as well.
        self.shift = math.ceil(math.log2(positions))
        squeeze, excite = gate.squeeze, gate.excite
        before = torch.full((squeeze.in_features,), unit * (1 << self.shift) / positions)
        tops = tops_of_channels(squeeze(sample.mean(dim=(2, 3))).relu())
        inside = tops.clamp_min(SMALLEST_REACH) / ACTIVATION_TOP
        self.squeeze = ExactDense(
            squeeze.weight * before / inside[:, None],
            squeeze.bias / inside,
            torch.full_like(before, STREAM_TOP),
            low=0,
            high=ACTIVATION_TOP,
        )
        steps = torch.full((excite.out_features,), 1 / GATE_STEPS)
        self.excite = exact_layer(excite.weight, excite.bias, inside, steps, -GATE_TOP, GATE_TOP)
        self.table = gate_table()

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        mean = round_through(x.sum(dim=(1, 2), keepdim=True) * 2.0**-self.shift).clamp(-STREAM_TOP, STREAM_TOP)
        gate: Tensor = self.table(self.excite(self.squeeze(mean)))
        return round_through(x * gate / GATE_ONE)

    def build(self, graph: ExactGraph, x: int) -> int:
        """Add the operations."""
        positions, pooled = self.side * self.side, x
        if positions > 1:
            ones = torch.eye(self.squeeze.weight.shape[1]).repeat(1, positions)
            everything = graph.patches(x, self.side, 0)
            total = graph.dense(everything, ones, torch.zeros(len(ones)))
            pooled = graph.rescale(total, self.shift, -STREAM_TOP, STREAM_TOP)
        weight, bias = self.excite.integers()
        spread = graph.dense(
            graph.exact_dense(self.squeeze, pooled), weight.repeat(positions, 1), bias.repeat(positions)
        )
        index = graph.rescale(spread, self.excite.shift.repeat(positions), -GATE_TOP, GATE_TOP)
        gate = self.table.build(graph, index)
        if positions > 1:
            gate = graph.shuffle(gate, self.side)
        return graph.rescale(graph.multiply(x, gate), GATE_ONE.bit_length() - 1, -STREAM_TOP, STREAM_TOP)


class ExactCell(nn.Module):
    """The twin of ResidualCell. unit: of the stream; h: a sample of it, float."""

    @torch.no_grad()
    def __init__(self, cell: ResidualCell, unit: float, h: Maps) -> None:
        super().__init__()
        self.size = window_of(cell.inner)
        inside = cell.inner(F.silu(h))
        within = stream_unit(inside)
        self.first, self.second = ExactSwish(unit, h), ExactSwish(within, inside)
        self.inner = _convolution(cell.inner, self.first.unit, within)
        self.outer = _convolution(cell.outer, self.second.unit, unit)
        self.gate = ExactGate(cell.gate, h.shape[-1], unit, cell.outer(F.silu(inside)))

    def forward(self, h: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        inside = self.inner(windows(self.first(h), self.size))
        change: Tensor = self.gate(self.outer(windows(self.second(inside), self.size)))
        return (h + change).clamp(-STREAM_TOP, STREAM_TOP)

    def build(self, graph: ExactGraph, h: int) -> int:
        """Add the cell's operations."""
        x = graph.exact_dense(self.inner, build_windows(graph, self.first.build(graph, h), self.size))
        x = graph.exact_dense(self.outer, build_windows(graph, self.second.build(graph, x), self.size))
        return graph.rescale(graph.add(h, self.gate.build(graph, x)), 0, -STREAM_TOP, STREAM_TOP)


class ExactGrow(nn.Module):
    """The twin of Grow. before: the stream's unit; after: that of the result, within ±top; h: a sample, float."""

    @torch.no_grad()
    def __init__(self, grow: Grow, before: float, after: float, h: Maps, top: int = STREAM_TOP) -> None:
        super().__init__()
        self.factor = grow.spread.upscale_factor
        self.swish = ExactSwish(before, h)
        self.layer = _convolution(grow.layer, self.swish.unit, after, top, _depth_last(grow))

    def forward(self, h: Float[Tensor, "b h w c"]) -> Tensor:
        return shuffle(self.layer(self.swish(h)), self.factor, 0)

    def build(self, graph: ExactGraph, h: int) -> int:
        """Add the operations."""
        grown = graph.exact_dense(self.layer, self.swish.build(graph, h))
        return grown if self.factor == 1 else graph.shuffle(grown, self.factor)


def _convolution(
    layer: nn.Conv2d, before: float, after: float, top: int = STREAM_TOP, rows: Tensor | None = None
) -> ExactDense:
    """rows: another order of the output channels."""
    assert layer.bias is not None
    order = torch.arange(len(layer.bias)) if rows is None else rows
    units = torch.full((layer.in_channels,), before), torch.full((len(layer.bias),), after)
    return exact_layer(layer.weight[order], layer.bias[order], *units, -top, top)


def _depth_last(grow: Grow) -> Tensor:
    """PixelShuffle has the place in a square run fastest, Shuffle the channel."""
    area = grow.spread.upscale_factor**2
    return torch.arange(grow.layer.out_channels).view(-1, area).T.reshape(-1)
