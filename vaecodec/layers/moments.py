"""Moments: where the mass of a picture lies, how much there is, and how it is spread: what an analysis sees besides.

    x (b, h, w) ──> center, mass ──> z = u + iv, around the center, in half sides of a square of that mass
                                 └─> complex moments: means of z^p · z*^q over the mass (b, count)

A layer without parameters (Hu 1962, "Visual pattern recognition by moment invariants"; the complex ones are of
Abu-Mostafa & Psaltis 1984; the center is the feature point of Levine et al. 2016). Position enters a fully connected
layer only through thousands of weights, one for each place; here it is two numbers, and the moments around the center
do not depend on it. Where a picture turns by an angle, a complex moment turns p - q times as fast, and keeps its size.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial import Polynomial
from torch import Tensor, nn


class Moments(nn.Module):
    """Of images (b, h, w) in 0..1: center (row, column), mass, then complex moments of the orders p + q = 2..order.

    Orders rise; within one, those that turn fastest come first. Of each its real part and, where p > q, its imaginary.
    """

    rows: Tensor
    columns: Tensor
    parts: Tensor

    def __init__(self, height: int, width: int, order: int) -> None:
        super().__init__()
        self.order = order
        self.scale = max(height, width) / 4
        for name, side in (("rows", height), ("columns", width)):
            self.register_buffer(name, (torch.arange(side) - (side - 1) / 2) / self.scale, persistent=False)
        self.register_buffer("parts", parts_of_powers(order), persistent=False)

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return 3 + len(self.parts)

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b m"]:
        mass = x.sum(dim=(1, 2)).clamp_min(1.0)
        row, column = (x.sum(dim=2) @ self.rows) / mass, (x.sum(dim=1) @ self.columns) / mass
        radius = mass.sqrt() / 2 / self.scale
        down, across = self._around(self.rows, row, radius), self._around(self.columns, column, radius)
        powers = down @ x @ across.transpose(1, 2) / mass[:, None, None]  # means of u^i · v^j
        place = torch.stack([row, column, 4 * radius - 1], dim=1)
        return torch.cat([place, powers.flatten(1) @ self.parts.T], dim=1)

    def _around(
        self, places: Float[Tensor, " s"], center: Float[Tensor, " b"], radius: Float[Tensor, " b"]
    ) -> Float[Tensor, "b k s"]:
        """The powers 0..order of the places' distances from the center."""
        distance = (places - center[:, None]) / radius[:, None]
        powers = [torch.ones_like(distance)]
        for _ in range(self.order):
            powers.append(powers[-1] * distance)
        return torch.stack(powers, dim=1)


def parts_of_powers(order: int) -> Float[Tensor, "parts powers"]:
    """Real and imaginary parts of (u + iv)^p · (u - iv)^q, p >= q, as sums of u^i · v^j, place i · (order + 1) + j."""
    parts = []
    for total in range(2, order + 1):
        for q in range(total // 2 + 1):
            of_v = Polynomial([1, 1j]) ** (total - q) * Polynomial([1, -1j]) ** q
            powers = np.zeros((order + 1, order + 1), complex)
            for j, factor in enumerate(of_v.coef):  # with u = 1: u^(total - j) · v^j
                powers[total - j, j] = factor
            parts += [powers.real, powers.imag] if total > 2 * q else [powers.real]
    return torch.from_numpy(np.stack(parts)).flatten(1).float()
