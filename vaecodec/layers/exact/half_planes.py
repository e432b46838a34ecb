"""ExactHalfPlaneMap: the integer-exact twin of HalfPlaneMap.

    symbols ─SymbolsToHidden─> 0..255 ─┬─Dense─> A, B, ±1535 ─┐
       │                               └─Dense─> C, ±65535 ───┤
       └─────────Dense─────────> r0, c0, ±2047 ───────────────┴─> A·(r - r0) + B·(c - c0) + C ─> 0..255 ─Dense─> map

Rows r and columns c count pixels from the middle times `steps`, an even power of two; so all of them are integers. The
runtime has no operation that repeats a vector at every position: weights of 0, 1 and r, c do it, in a few stages.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.exact.network import ExactNetwork
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.calibration import reach_of_channels, tops_of_channels
from vaecodec.layers.exact.dense import ACTIVATION_TOP, ExactDense, round_through
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.residual import exact_layer
from vaecodec.layers.exact.symbols import SymbolRange, SymbolsToHidden, symbols_layer
from vaecodec.layers.half_planes import TOP, HalfPlaneMap, odd_numbers, places_of, within_position

NORMAL_TOP, OFFSET_TOP, POSITION_TOP = 1535, 65535, 2047  # A·(r - r0) + B·(c - c0) + C stays below 2^24
NORMAL_MARGIN = 1.25  # of what the sample reaches
LARGEST_SIDE = 4  # positions of a side that one Shuffle makes: weights grow with its square
MOST_SPLITS = 2


class ExactHalfPlaneMap(nn.Module):
    """Made of a trained map; meaning and symbols as for SymbolsToHidden. unit (c,): of the map's channels."""

    shift: Tensor
    unit: Tensor
    grid: Tensor

    @torch.no_grad()
    def __init__(self, drawn: HalfPlaneMap, meaning: SymbolRange, symbols: Float[Tensor, "b n"]) -> None:
        super().__init__()
        self.plane, self.count = drawn.plane, drawn.count
        side = max(self.plane)
        self.steps = 1 << int(math.log2((POSITION_TOP + 1) / (2 * side)))  # positions from -2 to 2
        self.hidden = SymbolsToHidden(drawn.coefficients, meaning, symbols)
        latents = meaning.dequantise(symbols)
        normals = drawn.coefficients(latents / LATENT_SCALE)[:, : 2 * self.count]
        reach = NORMAL_MARGIN * reach_of_channels(normals.reshape(-1, self.count))
        full = TOP / ACTIVATION_TOP * self.steps * side  # what an activation's unit is, in units of A · r
        shift = (full / (reach / NORMAL_TOP)).log2().floor().clamp(0, 24)
        self.register_buffer("shift", shift)
        self.normals, self.offset = self._coefficients(drawn.coefficients.leave, full * (-shift).exp2())
        self.position = symbols_layer(drawn.position, meaning, torch.full((2,), 1 / (self.steps * side)), POSITION_TOP)
        self.register_buffer("unit", tops_of_channels(drawn(latents).permute(0, 2, 3, 1)) / ACTIVATION_TOP)
        mix, half = drawn.mix, torch.full((drawn.mix.in_channels,), TOP / ACTIVATION_TOP)
        assert mix.bias is not None
        self.mix = exact_layer(mix.weight, mix.bias, half, self.unit, 0, ACTIVATION_TOP)
        self.register_buffer("grid", places_of(*self.plane) * self.steps, persistent=False)

    def _coefficients(self, leave: nn.Linear, unit: Float[Tensor, " k"]) -> tuple[ExactDense, ExactDense]:
        """Normals, whose unit is `unit`, and offsets, whose unit is that at the smallest coordinate."""
        cut, before = 2 * self.count, self.hidden.trunk.relu.unit
        weight, bias = leave.weight, leave.bias
        return (
            exact_layer(weight[:cut], bias[:cut], before, unit.repeat(2), -NORMAL_TOP, NORMAL_TOP),
            exact_layer(weight[cut:], bias[cut:], before, unit / max(self.plane), -OFFSET_TOP, OFFSET_TOP),
        )

    def forward(self, symbols: Float[Tensor, "b n"]) -> Float[Tensor, "b h w c"]:
        active = self.hidden(symbols)
        normals = self.normals(active).view(-1, 2, self.count)
        position = self.position(symbols.clamp(-self.hidden.limit, self.hidden.limit))
        offset = self.steps * self.offset(active) - (normals * position[:, :, None]).sum(dim=1)
        distance = self.grid @ normals + offset[:, None]
        drawn = round_through(distance * (-self.shift).exp2()).clamp(0, ACTIVATION_TOP)
        feature_map: Tensor = self.mix(drawn.view(len(symbols), *self.plane, -1))
        return feature_map

    def to_network(self) -> ExactNetwork:
        """Raises NotExact."""
        graph = self.hidden.begin()
        self.build(graph, graph.input)
        return graph.network()

    def build(self, graph: ExactGraph, symbols: int) -> int:
        """Add the operations, from the value that holds the symbols, within their limit; the number of the map."""
        k = self.count
        active = self.hidden.build(graph, symbols)
        normals = graph.exact_dense(self.normals, active)
        position = _combine(graph, graph.exact_dense(self.position, symbols), torch.eye(2).repeat_interleave(k, 0))
        products = graph.multiply(normals, position)
        one, none = torch.eye(k), torch.zeros(k, k)
        placed = _combine(graph, normals, torch.cat([torch.eye(2 * k), torch.zeros(k, 2 * k)]))
        moved = _combine(graph, products, torch.cat([torch.zeros(2 * k, 2 * k), -torch.cat([one, one], dim=1)]))
        offset = _combine(graph, graph.exact_dense(self.offset, active), torch.cat([none, none, self.steps * one]))
        planes = graph.add(placed, graph.add(moved, offset))  # A, B and C' = C - A·r0 - B·c0 of each
        shift = self.shift.repeat(len(within_position()))
        drawn = graph.rescale(self._at_every_pixel(graph, planes), shift, 0, ACTIVATION_TOP)
        return graph.exact_dense(self.mix, drawn)

    def _at_every_pixel(self, graph: ExactGraph, planes: int) -> int:
        """A·r + B·c + C' (h, w, 4·k): first in the corner of each block of positions, then within smaller ones."""
        (height, width), k = self.plane, self.count
        sides = sides_of_blocks(height, width)
        block = math.prod(sides)
        keep = torch.eye(3 * k)[: 2 * k]
        rows, columns = (odd_numbers(s)[::block] * self.steps for s in self.plane)
        corners = [torch.cat([keep, _plane_at(k, r, c)]) for r in rows.tolist() for c in columns.tolist()]
        value = graph.reshape(_combine(graph, planes, torch.cat(corners)), height // block, width // block)
        pixels = (self.steps * within_position()).tolist()
        for side in sides:
            block //= side
            inside = [2.0 * self.steps * block * step for step in range(side)]
            squares = [(r, c) for r in inside for c in inside]
            if block > 1:
                places = [torch.cat([keep, _plane_at(k, r, c)]) for r, c in squares]
            else:
                places = [_plane_at(k, r + down, c + right) for r, c in squares for down, right in pixels]
            value = graph.shuffle(_combine(graph, value, torch.cat(places)), side)
        return value


def sides_of_blocks(height: int, width: int) -> list[int]:
    """In how many positions a side each block is split, largest blocks first; the product divides both sides."""
    left, sides = math.gcd(height, width), []
    for side in range(LARGEST_SIDE, 1, -1):
        while left % side == 0:
            left //= side
            sides.append(side)
    return sides[-MOST_SPLITS:] or [1]


def _plane_at(k: int, row: float, column: float) -> Float[Tensor, "k inputs"]:
    """The matrix that makes A·row + B·column + C of (A, B, C)."""
    one = torch.eye(k)
    return torch.cat([row * one, column * one, one], dim=1)


def _combine(graph: ExactGraph, x: int, weight: Tensor) -> int:
    """A fixed matrix."""
    return graph.dense(x, weight, torch.zeros(len(weight)))
