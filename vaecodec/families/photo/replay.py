"""Training what tells probabilities alone, from a store of what frozen transforms gave: three times as many steps.

    crops --draw, analysis, synthesis of rounded latents--> store of (y, level, detail latents) --draw--> batches

Each sample serves some steps before a newer one takes its place. The store is a function of frozen weights, the seed
and the number of samples made, so that a resumed run makes the same one again, whose latest samples it then has.
The base's latents are rounded here without their means, which are still being learned: what that picture leaves to the
detail has the same statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from vaecodec.families.photo.batches import Batches
from vaecodec.families.photo.layers import full_precision
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.objective import PEAK, Losses, weigh
from vaecodec.families.photo.step import Trainer

FIRST_FILLS = 50  # batches that are made before the first step
STEPS_A_FILL = 8
SEEDS_APART = 1_000_003  # fills of one seed are not those of the next


class Store:
    """The latest samples. batches: draws pictures; its generator is set anew for each fill. most: samples kept."""

    def __init__(self, model: Photo, batches: Batches, seed: int, most: int) -> None:
        self._model, self._seed = model, seed
        self._batches = replace(batches, rng=torch.Generator(batches.rng.device))
        self._slots = max(1, most // batches.size)
        self._filled = 0
        self._samples: dict[int, list[tuple[Tensor, Tensor, Tensor]]] = {}

    def reach(self, fills: int) -> None:
        """Make samples until there were so many fills; those that later ones replace are left out."""
        for number in range(max(self._filled, fills - self._slots), fills):
            self._samples[number % self._slots] = self._made(number)
        self._filled = max(self._filled, fills)

    def draw(self, rng: torch.Generator, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """y (b, c, h, w), levels (b,) and detail latents (b, d, h, w) of random samples."""
        places = torch.randint(len(self._samples) * self._batches.size, (count,), generator=rng, device=rng.device)
        chosen = [self._samples[k // self._batches.size][k % self._batches.size] for k in places.tolist()]
        y, level, latents = (torch.stack(parts) for parts in zip(*chosen, strict=True))
        return y.float(), level, latents.float()

    @torch.no_grad()
    def _made(self, number: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        self._batches.rng.manual_seed(SEEDS_APART * self._seed + number)
        x, level = self._batches.draw()
        model = self._model
        y = model.analysis(x.contiguous(memory_format=torch.channels_last))
        with full_precision(y):
            gain = torch.exp(model.log_gain(level))
            features = model.synthesis.features(torch.round(y * gain) / gain, level)
        latents = model.detail_transform.analyse(x - model.synthesis.picture(features, level))
        return list(zip(y.half(), level, latents.half(), strict=True))


class ReplayTrainer(Trainer):
    """Learns from a store instead of fresh pictures. Only what tells probabilities may be learned."""

    def __init__(self, model: Photo, batches: Batches, *, learned: Callable[[str], bool], seed: int, most: int) -> None:
        super().__init__(model, batches, learned=learned)
        self._store, self._taken = Store(model, batches, seed, most), 0

    def begin(self, step: int) -> None:
        """A run goes on after so many steps."""
        self._taken = step

    def _losses(self) -> Losses:
        self._store.reach(FIRST_FILLS + self._taken // STEPS_A_FILL)
        self._taken += 1
        y, level, latents = self._store.draw(self.batches.rng, self.batches.size)
        base = self.model.tell_base(y, level)
        told, detail_bits = self.model.tell_detail(latents, base, level)
        pixels = self.batches.side**2
        told_at_all = (level >= self.model.config.detail_from).to(told.dtype)
        squared_error = (latents - told).square().sum((1, 2, 3)) * told_at_all * PEAK**2 / (3 * pixels)
        rate_bpp = (base.z_bits + base.y_bits + detail_bits) / pixels
        return weigh(self.model.config, level, rate_bpp, squared_error)
