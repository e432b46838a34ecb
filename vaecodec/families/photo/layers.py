"""Blocks of the photograph family: ReLU and convolutions alone, so that each has an integer-exact twin.

Tensors are (b, c, h, w). Convolutions pad with zeros at the true border of the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BRANCH_GAIN = 0.3  # of a residual branch's last layer at the start: the trunk then passes nearly unchanged


class PerLevel(nn.Module):
    """A vector of `channels` values for each level: learned at the anchors, linear between them."""

    def __init__(self, anchors: int, channels: int, first: float = 0.0, last: float = 0.0) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.linspace(first, last, anchors)[:, None].repeat(1, channels))

    def forward(self, level: Tensor) -> Tensor:
        """Level (b,) -> (b, channels, 1, 1), float32. Levels beyond the last anchor give zero weights: never ask."""
        anchors = torch.arange(len(self.value), device=level.device, dtype=self.value.dtype)
        weights = (1 - (level[:, None] - anchors).abs()).clamp_min(0)
        # A sum, not a matrix product: TF32 would round the logarithms of the gains.
        return (weights[:, :, None] * self.value).sum(1)[:, :, None, None]


class Bottleneck(nn.Module):
    """x + 1x1 · relu · 3x3 · relu · 1x1, half as wide inside: 3.25 c² multiply-adds a position."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.enter, self.look = nn.Conv2d(channels, half, 1), nn.Conv2d(half, half, 3, padding=1)
        self.leave = nn.Conv2d(half, channels, 1)
        with torch.no_grad():
            self.leave.weight *= BRANCH_GAIN

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> the same shape."""
        hidden: Tensor = self.leave(F.relu(self.look(F.relu(self.enter(x)))))
        return x + hidden


class Residual(nn.Module):
    """x + 3x3 · relu · 3x3: 18 c² multiply-adds a position."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, channels, 3, padding=1)
        self.leave = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.leave.weight *= BRANCH_GAIN

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> the same shape."""
        hidden: Tensor = self.leave(F.relu(self.enter(x)))
        return x + hidden


class Enlarge(nn.Module):
    """A convolution to four times the channels, then a pixel shuffle by 2: (b, c, h, w) -> (b, d, 2h, 2w)."""

    def __init__(self, channels: int, out: int, kernel: int = 1) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, 4 * out, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, d, 2h, 2w)."""
        return F.pixel_shuffle(self.spread(x), 2)


def pick(x: Tensor, parity: int) -> Tensor:
    """The positions of one colour of the checkerboard, (row + column) % 2 == parity: (b, c, h, w) -> (b, c, h, w/2).

    w must be even; pictures are padded to it before.
    """
    swapped = _rows_that_begin(x.shape[2], 1 - parity, x.device)
    return torch.where(swapped, x[..., 1::2], x[..., 0::2])


def place(half: Tensor, parity: int) -> Tensor:
    """The inverse of `pick`, zeros on the other colour: (b, c, h, w/2) -> (b, c, h, w)."""
    swapped = _rows_that_begin(half.shape[2], 1 - parity, half.device)
    nothing = torch.zeros_like(half)
    pairs = torch.stack((torch.where(swapped, nothing, half), torch.where(swapped, half, nothing)), dim=-1)
    return pairs.flatten(-2)


def _rows_that_begin(rows: int, parity: int, device: torch.device) -> Tensor:
    """Whether column 0 of each row has that colour, (rows, 1)."""
    return (torch.arange(rows, device=device) % 2 == parity)[:, None]


def full_precision(x: Tensor) -> torch.autocast:
    """A context without autocast: latents and likelihoods need more than the 8 bits of bfloat16."""
    return torch.autocast(x.device.type, enabled=False)
