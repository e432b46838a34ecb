"""HalfPlaneMap: latents to a feature map that is drawn with half-planes, so that a shape can move, turn and grow.

    y ─┬─MLP──> normal (A, B) and offset C of each half-plane ─┐
       └─Linear──> position (r0, c0) ──────────────────────────┴─> clamp(A·(r - r0) + B·(c - c0) + C, 0, top)
                          at every pixel (r, c), four to a position of the map: (b, 4·k, h/2, w/2) ──1×1──> map

Every pixel sees the same functions of its own coordinates (a compositional pattern-producing network, Stanley 2007,
whose first layer is made by another network, Ha et al. 2016). Moving a shape is a change of two numbers, and turning or
growing it one of the normals; a fully connected layer would have to learn it anew for every place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.residual import ResidualMLP
from vaecodec.modelfile.lossless_part import PHASES

TOP = 4.0  # beyond it a half-plane is simply outside
FIRST_NORMAL = 6.0  # length of the normals to begin with


@dataclass(frozen=True, slots=True)
class HalfPlaneSizes:
    """inputs: how many latents draw. plane: (h/2, w/2). units, blocks: of the network that makes the half-planes.

    count: of half-planes. channels: of the map.
    """

    inputs: int
    plane: tuple[int, int]
    units: int
    blocks: int
    count: int
    channels: int


class HalfPlaneMap(nn.Module):
    """Coordinates run from -1 to 1 over the longer side of an image."""

    grid: Tensor

    def __init__(self, sizes: HalfPlaneSizes) -> None:
        super().__init__()
        self.plane, self.count = sizes.plane, sizes.count
        self.coefficients = ResidualMLP(sizes.inputs, sizes.units, sizes.blocks, 3 * self.count)
        self.position = nn.Linear(sizes.inputs, 2)
        self.mix = nn.Conv2d(len(PHASES) * self.count, sizes.channels, 1)
        self.register_buffer("grid", grid_of(*self.plane), persistent=False)
        angle = torch.rand(self.count) * 2 * math.pi
        begin = torch.stack([FIRST_NORMAL * angle.cos(), FIRST_NORMAL * angle.sin(), torch.randn(self.count) - 1])
        with torch.no_grad():
            self.coefficients.leave.bias.copy_(begin.flatten())

    def half_planes(self, y: Float[Tensor, "b n"]) -> Float[Tensor, "b 3 k"]:
        """(A, B, C - A·r0 - B·c0) of each."""
        y = y / LATENT_SCALE
        normal_r, normal_c, offset = self.coefficients(y).view(len(y), 3, self.count).unbind(1)
        row, column = self.position(y).split(1, dim=1)
        return torch.stack([normal_r, normal_c, offset - normal_r * row - normal_c * column], dim=1)

    def forward(self, y: Float[Tensor, "b n"]) -> Float[Tensor, "b c h w"]:
        distance = (self.grid @ self.half_planes(y)).clamp(0, TOP)  # (b, h·w·4, k)
        drawn = distance.view(len(y), *self.plane, -1).permute(0, 3, 1, 2)  # channels last in memory
        feature_map: Tensor = self.mix(drawn).relu()
        return feature_map


def grid_of(height: int, width: int) -> Float[Tensor, "p 3"]:
    """(row, column, 1) of every pixel, position by position, phase by phase; height, width: positions of the map."""
    places = places_of(height, width) / max(height, width)
    return torch.cat([places, torch.ones(len(places), 1)], dim=1)


def places_of(height: int, width: int) -> Float[Tensor, "p 2"]:
    """(row, column) of every pixel around the middle of the image, where a pixel is 1 high and wide."""
    rows, columns = torch.meshgrid(odd_numbers(height), odd_numbers(width), indexing="ij")
    corners = torch.stack([rows, columns], dim=-1).view(-1, 1, 2)
    return (corners + within_position()).view(-1, 2)


def within_position() -> Float[Tensor, "phases 2"]:
    """(row, column) of each phase's pixel around the middle of its position."""
    return torch.tensor(PHASES) - 0.5


def odd_numbers(side: int) -> Float[Tensor, " s"]:
    """Twice the distance of each place from the middle: in pixels, two to a place."""
    return torch.arange(side) * 2.0 + 1 - side
