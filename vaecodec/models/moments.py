"""Moments: where the mass of a picture lies, how much there is, and how it is spread: what an analysis sees besides.

    x (b, h, w) ──> mass, center ──> coordinates around the center, in radii ──> central moments (b, count)

A layer without parameters (Hu 1962, "Visual pattern recognition by moment invariants"; the center is the feature point
of Levine et al. 2016). Position enters a fully connected layer only through thousands of weights, one for each place;
here it is two numbers, and the moments around the center do not depend on it.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Moments(nn.Module):
    """Of images (b, h, w) in 0..1: center (row, column), log of the mass, central moments of the orders 2..order."""

    rows: Tensor
    columns: Tensor
    roots: Tensor

    def __init__(self, height: int, width: int, order: int) -> None:
        super().__init__()
        self.order = order
        self.scale = max(height, width) / 4
        self._powers = [(i, j) for i in range(order + 1) for j in range(order + 1 - i) if i + j >= 2]
        for name, side in (("rows", height), ("columns", width)):
            self.register_buffer(name, (torch.arange(side) - (side - 1) / 2) / self.scale, persistent=False)
        roots = torch.tensor([1 / (i + j) for i, j in self._powers])
        self.register_buffer("roots", roots, persistent=False)

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return 3 + len(self._powers)

    @property
    def lowest_first(self) -> list[int]:
        """Places in the result: center, mass, then the moments of the lowest orders."""
        orders = [0, 0, 0, *(i + j for i, j in self._powers)]
        return sorted(range(self.count), key=orders.__getitem__)

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b m"]:
        mass = x.sum(dim=(1, 2)).clamp_min(1.0)
        row, column = (x.sum(dim=2) @ self.rows) / mass, (x.sum(dim=1) @ self.columns) / mass
        radius = mass.sqrt() / self.scale
        down, across = self._around(self.rows, row, radius), self._around(self.columns, column, radius)
        table = down @ x @ across.transpose(1, 2) / mass[:, None, None]
        central = torch.stack([table[:, i, j] for i, j in self._powers], dim=1)
        spread = central.sign() * (central.abs() + 1e-12).pow(self.roots)  # of one size, whatever the order
        return torch.cat([torch.stack([row, column, 2 * radius - 1], dim=1), spread], dim=1)

    def _around(
        self, places: Float[Tensor, " s"], center: Float[Tensor, " b"], radius: Float[Tensor, " b"]
    ) -> Float[Tensor, "b k s"]:
        """The powers 0..order of the places' distances from the center."""
        distance = (places - center[:, None]) / radius[:, None]
        powers = [torch.ones_like(distance)]
        for _ in range(self.order):
            powers.append(powers[-1] * distance)
        return torch.stack(powers, dim=1)
