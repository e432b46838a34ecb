"""Batches drawn on the device: crops at free offsets, turned and mirrored, a quarter of them at half size.

    crops uint8 (n, 3, s, s) --draw--> x (b, 3, side, side) in 0..1, level (b,)

Free offsets and turns hide the 8×8 grid of crops that came as JPEG; halves have none left and show finer structure.
Every number comes from one generator, so a run is a function of its seed, and a recorded CUDA graph can draw too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

GOLDEN = 0.618034  # levels of a batch: a uniform start, then steps of the golden section, so that they spread evenly


@dataclass(frozen=True, slots=True)
class Batches:
    """crops uint8 (n, 3, s, s) on the device of rng; size: pictures a batch; side: of a picture, at most s."""

    crops: Tensor
    rng: torch.Generator
    size: int
    side: int
    top_level: float

    def draw(self) -> tuple[Tensor, Tensor]:
        """x (b, 3, side, side) in 0..1 and levels (b,) in 0 .. top_level."""
        halves = self.size // 4
        pictures = torch.cat((self._halved(halves), self._cut(self._some(self.size - halves), self.side)))
        return self._turned(pictures.float() / 255), self._levels()

    def _some(self, count: int) -> Tensor:
        return self.crops[torch.randint(len(self.crops), (count,), generator=self.rng, device=self.crops.device)]

    def _cut(self, pictures: Tensor, side: int) -> Tensor:
        """A window of each picture, (b, 3, side, side)."""
        count, _, height, width = pictures.shape
        top, left = self._offsets(height - side, count), self._offsets(width - side, count)
        line = torch.arange(side, device=pictures.device)
        every = torch.arange(count, device=pictures.device)[:, None, None]
        rows, columns = top[:, None, None] + line[:, None], left[:, None, None] + line
        return pictures.permute(0, 2, 3, 1)[every, rows, columns].permute(0, 3, 1, 2)

    def _offsets(self, most: int, count: int) -> Tensor:
        return torch.randint(most + 1, (count,), generator=self.rng, device=self.crops.device)

    def _halved(self, count: int) -> Tensor:
        """Windows of mosaics of four crops at half size, float32 in 0..255."""
        small = F.avg_pool2d(self._some(4 * count).float(), 2)
        if self.side <= small.shape[2]:
            return self._cut(small[:count], self.side)
        first, second, third, fourth = small.chunk(4)
        mosaic = torch.cat((torch.cat((first, second), 3), torch.cat((third, fourth), 3)), 2)
        return self._cut(mosaic, self.side)

    def _turned(self, x: Tensor) -> Tensor:
        chosen = torch.rand(3, len(x), 1, 1, 1, generator=self.rng, device=x.device) < 0.5
        x = torch.where(chosen[0], x.flip(2), x)
        x = torch.where(chosen[1], x.flip(3), x)
        return torch.where(chosen[2], x.transpose(2, 3), x)

    def _levels(self) -> Tensor:
        start = torch.rand(1, generator=self.rng, device=self.crops.device)
        steps = torch.arange(self.size, device=self.crops.device) * GOLDEN
        return (start + steps) % 1 * self.top_level
