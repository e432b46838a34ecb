"""ExactNVAESynthesis: the integer-exact twin of an nvae's trunk, from the symbols of all groups to pixels.

symbols (b, n) ─┬─ group 1 ─Dense─ stream ─ cell ─┬─ … ─ Grow ─┬─ … ─ Grow ─ cell ─ Grow ─> logit index ─table─> pixel
                ├─ group 2 ──────Dense───────────(+)           │
                └─ group 4 ───────────────────────────Dense───(+)

Each scale has a stream of its own unit. What is trained on symbols is, to the bit, what the runtime evaluates.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.exact.network import ExactNetwork
from vaecodec.families.nvae.cells import Grow, ResidualCell
from vaecodec.families.nvae.exact_cells import ExactCell, ExactGrow, stream_unit
from vaecodec.families.nvae.model import NVAE, Trunk
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.exact.dense import FIRST_WEIGHT_LIMIT, ExactDense
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.pixel_scales import SIGMOID
from vaecodec.layers.exact.residual import STREAM_TOP


class ExactNVAESynthesis(nn.Module):
    """Made of a trained nvae. limit (n,): larger |symbol| are clamped. symbols (b, n): a sample, for calibration."""

    limit: Tensor

    @torch.no_grad()
    def __init__(self, model: NVAE, limit: Float[Tensor, " n"], symbols: Float[Tensor, "b n"]) -> None:
        super().__init__()
        self.config, trunk = model.config, model.trunk
        self.register_buffer("limit", limit.float(), persistent=False)
        with _recorded(trunk) as seen:
            model.synthesise(symbols)
        units = [stream_unit(*_maps_of_scale(trunk, seen, scale)) for scale in range(self.config.scales)]
        cells = cast("list[ResidualCell]", list(trunk.cells))
        self.combine, self.cells = nn.ModuleList(), nn.ModuleList()
        reach = torch.split(self.limit, list(self.config.group_sizes))
        for number, scale in enumerate(self.config.group_scales):
            self.combine.append(_combination(trunk, number, units[scale], reach[number]))
            self.cells.append(ExactCell(cells[number], units[scale], seen[cells[number]][0]))
        self.grow = nn.ModuleList()
        for k, layer in enumerate(cast("list[Grow]", list(trunk.grow))):
            self.grow.append(ExactGrow(layer, units[k], units[k + 1], seen[layer][0]))
        head = stream_unit(*seen[trunk.head])
        self.enter_head = ExactGrow(trunk.enter_head, units[-1], head, seen[trunk.enter_head][0])
        self.head = ExactCell(trunk.head, head, seen[trunk.head][0])
        self.leave = ExactGrow(trunk.leave, head, 1 / SIGMOID.steps, seen[trunk.leave][0], SIGMOID.top)

    def forward(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b h w"]:
        """The logit index of every pixel."""
        clamped = symbols.clamp(-self.limit, self.limit)
        groups = torch.split(clamped, list(self.config.group_sizes), dim=1)
        h: Tensor | None = None
        for number, (scale, group) in enumerate(zip(self.config.group_scales, groups, strict=True)):
            if h is not None and self._begins(number):
                h = self.grow[scale - 1](h)
            side = self.config.map_sides[scale]
            added = self.combine[number](group.reshape(len(group), side, side, -1))
            h = added if h is None else (h + added).clamp(-STREAM_TOP, STREAM_TOP)
            h = self.cells[number](h)
        index: Tensor = self.leave(self.head(self.enter_head(h)))
        return index[..., 0]

    def logits(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b h w"]:
        """What the likelihood takes."""
        return SIGMOID.logits_of(self.forward(symbols))

    def to_network(self) -> ExactNetwork:
        """The exported integers. Raises NotExact where fine-tuning has carried a layer over the bound."""
        limit = self.limit.numpy().astype(np.int32)
        graph, h, start = ExactGraph(-limit, limit), -1, 0
        for number, scale in enumerate(self.config.group_scales):
            if number and self._begins(number):
                h = cast("ExactGrow", self.grow[scale - 1]).build(graph, h)
            side, size = self.config.map_sides[scale], self.config.group_sizes[number]
            group = graph.reshape(graph.slice(graph.input, start, start + size), side, side)
            added = graph.exact_dense(cast("ExactDense", self.combine[number]), group)
            h = graph.rescale(graph.add(h, added), 0, -STREAM_TOP, STREAM_TOP) if number else added
            h = cast("ExactCell", self.cells[number]).build(graph, h)
            start += size
        index = self.leave.build(graph, self.head.build(graph, self.enter_head.build(graph, h)))
        graph.lookup(index, SIGMOID.table(), -SIGMOID.top)
        return graph.network()

    def _begins(self, number: int) -> bool:
        """Whether a group is the first of a scale that is not the first."""
        scales = self.config.group_scales
        return number > 0 and scales[number] != scales[number - 1]


def _combination(trunk: Trunk, number: int, unit: float, reach: Float[Tensor, " n"]) -> ExactDense:
    """What a group's symbols add to the stream; the first group's, the start as well."""
    layer = cast("nn.Conv2d", trunk.combine[number])
    assert layer.bias is not None
    bias = layer.bias if number else layer.bias + trunk.start
    weight = layer.weight.flatten(1) / (LATENT_SCALE * unit)
    largest = reach.view(-1, layer.in_channels).amax(dim=0)
    return ExactDense(weight, bias / unit, largest, low=-STREAM_TOP, high=STREAM_TOP, weight_limit=FIRST_WEIGHT_LIMIT)


def _maps_of_scale(trunk: Trunk, seen: dict[nn.Module, tuple[Tensor, Tensor]], scale: int) -> list[Tensor]:
    """Everything that the stream of a scale holds on the way."""
    cells = [cell for cell, of in zip(trunk.cells, trunk.config.group_scales, strict=True) if of == scale]
    grown = [seen[trunk.grow[scale - 1]][1]] if scale else []
    return [*grown, *(each for cell in cells for each in seen[cell])]


@contextmanager
def _recorded(trunk: Trunk) -> Iterator[dict[nn.Module, tuple[Tensor, Tensor]]]:
    """What every cell and every Grow takes and gives, while the trunk runs."""
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def keep(layer: nn.Module, taken: tuple[Tensor], given: Tensor) -> None:
        seen[layer] = (taken[0], given)

    layers = [layer for layer in trunk.modules() if isinstance(layer, ResidualCell | Grow)]
    hooks = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
