"""ExactPhase: the integer-exact twin of a phase network.

    map 0..255 ──Dense───────────────────────────────┐
    each plane before ─table─ 0..255 ──Patches──Dense─(+)── stream ── ExactTrunk ── Dense ──> logit indices

What is added in front of the trunk is in quarters of the stream's units, so that nothing is rounded before.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.exact.network import ExactNetwork
from vaecodec.families.lossless.phases import PhaseNetwork
from vaecodec.layers.exact.dense import ACTIVATION_TOP, ExactDense, round_through
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.residual import STREAM_TOP, ExactTrunk, build_windows, exact_layer, matrix_of, windows
from vaecodec.layers.residual import ConvBlock

FINE_SHIFT = 2
FINE_TOP = STREAM_TOP << FINE_SHIFT
LOGIT_TOP = 1024  # L
ZERO_STEPS = 64  # indices in one unit of the logit of "zero": 16 units either way, one in ten million
WEIGHT_STEPS = 128  # indices in one unit of a weight's logit: 8 units either way


class ExactPhase(nn.Module):
    """Made of a trained phase network and a sample of its float inputs.

    map_unit (c,): what one unit of the map is worth. table (256, f): features of a pixel's value, integers 0..255.
    """

    table: Tensor

    @torch.no_grad()
    def __init__(
        self,
        network: PhaseNetwork,
        feature_map: Float[Tensor, "b c h w"],
        planes: Float[Tensor, "b p h w"],
        map_unit: Float[Tensor, " c"],
        table: Float[Tensor, "values f"],
    ) -> None:
        super().__init__()
        self.register_buffer("table", table, persistent=False)
        self.plane = (feature_map.shape[2], feature_map.shape[3])
        self.channels = len(map_unit)
        h = network.enter(feature_map, planes).permute(0, 2, 3, 1)
        self.trunk = ExactTrunk(cast("list[ConvBlock]", list(network.blocks)), h)
        fine = self.trunk.stream_unit / (1 << FINE_SHIFT)
        of_map, head = network.of_map, network.head
        assert of_map.bias is not None
        assert head.bias is not None
        self.of_map = exact_layer(of_map.weight, of_map.bias, map_unit, fine, -FINE_TOP, FINE_TOP)
        self.window, self.of_planes = 1, nn.ModuleList()
        if network.of_planes is not None:
            self.window = int(network.of_planes.kernel_size[0])
            unit = torch.full((table.shape[1],), 1 / ACTIVATION_TOP)
            for weight in network.of_planes.weight.chunk(planes.shape[1] // table.shape[1], dim=1):
                self.of_planes.append(exact_layer(weight, torch.zeros_like(fine), unit, fine, -FINE_TOP, FINE_TOP))
        weight, bias = _centered(matrix_of(head.weight), head.bias)
        steps = torch.full((len(bias),), 1 / WEIGHT_STEPS)
        steps[0] = 1 / ZERO_STEPS
        self.head = exact_layer(weight, bias, self.trunk.relu.unit, steps, -LOGIT_TOP, LOGIT_TOP)

    def forward(self, feature_map: Float[Tensor, "b h w c"], planes: Float[Tensor, "b k h w f"]) -> Tensor:
        """Logit indices (b, h, w, o); planes: table[pixels] of the phases before."""
        fine = self.of_map(feature_map)
        for k, layer in enumerate(self.of_planes):
            fine = fine + layer(windows(planes[:, k], self.window))
        stream = round_through(fine * 2.0**-FINE_SHIFT).clamp(-STREAM_TOP, STREAM_TOP)
        index: Tensor = self.head(self.trunk(stream))
        return index

    def to_network(self) -> ExactNetwork:
        """Inputs: the map, flattened, then the pixels of each phase before. Raises NotExact."""
        height, width = self.plane
        positions = height * width
        inputs = positions * (self.channels + len(self.of_planes))
        graph = ExactGraph(np.zeros(inputs, np.int32), np.full(inputs, ACTIVATION_TOP, np.int32))
        start = positions * self.channels
        feature_map = graph.reshape(graph.slice(graph.input, 0, start), height, width)
        fine = graph.exact_dense(self.of_map, feature_map)
        for layer in self.of_planes:
            plane = graph.reshape(graph.slice(graph.input, start, start + positions), height, width)
            seen = build_windows(graph, graph.lookup(plane, self.table), self.window)
            fine = graph.add(fine, graph.exact_dense(cast("ExactDense", layer), seen))
            start += positions
        stream = graph.rescale(fine, FINE_SHIFT, -STREAM_TOP, STREAM_TOP)
        graph.exact_dense(self.head, self.trunk.build(graph, stream))
        return graph.network()


def logits_of(index: Float[Tensor, "b h w o"]) -> Float[Tensor, "b o h w"]:
    """What the likelihood takes."""
    steps = torch.full(index.shape[-1:], 1 / WEIGHT_STEPS)
    steps[0] = 1 / ZERO_STEPS
    return (index * steps).permute(0, 3, 1, 2)


def _centered(weight: Float[Tensor, "o c"], bias: Float[Tensor, " o"]) -> tuple[Tensor, Tensor]:
    """The same softmax of the outputs behind the first, around zero, where indices are finest."""
    weight, bias = weight.clone(), bias.clone()
    if len(bias) > 1:
        weight[1:] -= weight[1:].mean(dim=0)
        bias[1:] -= bias[1:].mean()
    return weight, bias
