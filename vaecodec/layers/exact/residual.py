"""ExactTrunk: the integer-exact twin of residual blocks and the ReLU behind them.

    stream, ±2047 ─┬─ · 2^-shift ─> 0..255 ─Dense─> 0..255 ─Dense─> ± ─┬─ … ─ · 2^-shift ─> 0..255
                   └───────────────────────────────────────────────────┘

Each channel has units of its own: of the stream, and of the activations. Values have their channels last, as in the
runtime.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.layers.calibration import reach_of_channels, tops_of_channels
from vaecodec.layers.exact.dense import (
    ACTIVATION_TOP,
    FIRST_WEIGHT_LIMIT,
    WEIGHT_LIMIT,
    ExactDense,
    patches,
    round_through,
)
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.residual import ConvBlock, ResidualBlock

STREAM_TOP = 2047
STREAM_MARGIN = 1.25  # of what the sample reaches
COARSE = 4  # steps of a weight below one output unit for one input unit: fewer would be too coarse
ALMOST = 1e-3  # a power of two that rounding has made a little larger is still that power

Block = ResidualBlock | ConvBlock


def matrix_of(weight: Float[Tensor, "out in *window"]) -> Float[Tensor, "out inputs"]:
    """Weights as Patches orders what they are multiplied with: window row, window column, channel."""
    return weight if weight.dim() == 2 else weight.permute(0, 2, 3, 1).flatten(1)


def window_of(layer: nn.Linear | nn.Conv2d) -> int:
    """The side of the window that a layer looks at."""
    return 1 if isinstance(layer, nn.Linear) else int(layer.kernel_size[0])


def windows(x: Float[Tensor, "*batch c"], size: int) -> Tensor:
    """Patches, where there is more than one position in a window."""
    return x if size == 1 else patches(x, size, size // 2)


def build_windows(graph: ExactGraph, x: int, size: int) -> int:
    """As windows()."""
    return x if size == 1 else graph.patches(x, size, size // 2)


def exact_layer(
    weight: Float[Tensor, "out in *window"],
    bias: Float[Tensor, " out"],
    before: Float[Tensor, " in"],
    after: Float[Tensor, " out"],
    low: int,
    high: int,
) -> ExactDense:
    """A layer on activations 0..255; before, after: what one unit of each channel is worth.

    Weights are int8 where that leaves them COARSE steps below one output unit for one input unit, else int16.
    """
    matrix = matrix_of(weight)
    matrix = matrix * before.repeat(matrix.shape[1] // len(before)) / after[:, None]
    reach = torch.full((matrix.shape[1],), float(ACTIVATION_TOP))
    limit = WEIGHT_LIMIT if float(matrix.abs().max()) * COARSE <= WEIGHT_LIMIT else FIRST_WEIGHT_LIMIT
    return ExactDense(matrix, bias / after, reach, low=low, high=high, weight_limit=limit)


def apply_last(layer: nn.Module, x: Float[Tensor, "*batch c"]) -> Tensor:
    """A float layer on values with the channels last."""
    if x.dim() == 4 and not isinstance(layer, nn.Linear | ResidualBlock):
        moved: Tensor = layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return moved
    result: Tensor = layer(x)
    return result


class ExactReLU(nn.Module):
    """Stream to activations. tops: what is to become 255, roughly; stream_unit: what one unit is worth."""

    shift: Tensor
    unit: Tensor

    def __init__(self, tops: Float[Tensor, " c"], stream_unit: Float[Tensor, " c"]) -> None:
        super().__init__()
        shift = ((tops / (ACTIVATION_TOP * stream_unit)).log2() - ALMOST).ceil().clamp(0, 24)
        self.register_buffer("shift", shift)
        self.register_buffer("unit", stream_unit * shift.exp2())  # of an activation

    def forward(self, h: Float[Tensor, "*batch c"]) -> Float[Tensor, "*batch c"]:
        return round_through(h * (-self.shift).exp2()).clamp(0, ACTIVATION_TOP)

    def build(self, graph: ExactGraph, h: int) -> int:
        """Add the operation."""
        return graph.rescale(h, self.shift, 0, ACTIVATION_TOP)


class ExactBlock(nn.Module):
    """The twin of a block; h: a sample of its float input, channels last."""

    @torch.no_grad()
    def __init__(self, block: Block, h: Float[Tensor, "*batch c"], stream_unit: Float[Tensor, " c"]) -> None:
        super().__init__()
        active = h.relu()
        inside = apply_last(block.inner, active).relu()
        self.relu = ExactReLU(tops_of_channels(active), stream_unit)
        unit = tops_of_channels(inside) / ACTIVATION_TOP
        self.size = window_of(block.inner)
        inner, outer = block.inner, block.outer
        assert inner.bias is not None
        assert outer.bias is not None
        self.inner = exact_layer(inner.weight, inner.bias, self.relu.unit, unit, 0, ACTIVATION_TOP)
        self.outer = exact_layer(outer.weight, outer.bias, unit, stream_unit, -STREAM_TOP, STREAM_TOP)

    def forward(self, h: Float[Tensor, "*batch c"]) -> Float[Tensor, "*batch c"]:
        change: Tensor = self.outer(self.inner(windows(self.relu(h), self.size)))
        return (h + change).clamp(-STREAM_TOP, STREAM_TOP)

    def build(self, graph: ExactGraph, h: int) -> int:
        """Add the block's operations."""
        inside = graph.exact_dense(self.inner, build_windows(graph, self.relu.build(graph, h), self.size))
        added = graph.add(h, graph.exact_dense(self.outer, inside))
        return graph.rescale(added, 0, -STREAM_TOP, STREAM_TOP)


class ExactTrunk(nn.Module):
    """Made of float blocks and a sample of the stream before them, channels last."""

    stream_unit: Tensor

    @torch.no_grad()
    def __init__(self, blocks: Sequence[Block], h: Float[Tensor, "*batch c"]) -> None:
        super().__init__()
        streams = [h]
        for block in blocks:
            streams.append(apply_last(block, streams[-1]))
        reach = torch.stack([reach_of_channels(stream) for stream in streams]).amax(dim=0)
        self.register_buffer("stream_unit", _aligned(STREAM_MARGIN * reach / STREAM_TOP, tops_of_channels(h.relu())))
        pairs = zip(blocks, streams[:-1], strict=True)
        self.blocks = nn.ModuleList(ExactBlock(block, stream, self.stream_unit) for block, stream in pairs)
        self.relu = ExactReLU(tops_of_channels(streams[-1].relu()), self.stream_unit)

    def forward(self, h: Float[Tensor, "*batch c"]) -> Float[Tensor, "*batch c"]:
        for block in self.blocks:
            h = block(h)
        active: Tensor = self.relu(h)
        return active

    def build(self, graph: ExactGraph, h: int) -> int:
        """Add the operations; the number of the activations' value."""
        for block in self.blocks:
            h = block.build(graph, h)  # type: ignore[operator]
        return self.relu.build(graph, h)


def _aligned(unit: Float[Tensor, " c"], tops: Float[Tensor, " c"]) -> Float[Tensor, " c"]:
    """Units at most twice as large, such that a power of two brings `tops` to exactly 255."""
    full = tops / ACTIVATION_TOP
    return full * (unit / full).log2().ceil().exp2()
