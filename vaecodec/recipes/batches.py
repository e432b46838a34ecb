"""Batches: the images of step k are a function of (seed, k), so that a resumed run sees what it would have seen.

epoch e ── permutation(seed, e) ──> consecutive batches ──> this process's share
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.errors import ConfigError

NOISE_STREAM, ORDER_STREAM, SHIFT_STREAM = 1, 2, 3  # independent random streams of one seed


def stream_seed(*key: int) -> int:
    """A 63-bit seed for the random stream named by `key`."""
    return int(np.random.SeedSequence((len(key), *key)).generate_state(1, np.uint64)[0]) >> 1


def all_over(length: int, count: int) -> npt.NDArray[np.intp]:
    """At most `count` numbers, evenly spaced over 0..length - 1: a set may be in an order, by size or by shape."""
    return np.linspace(0, length - 1, min(length, count)).astype(np.intp)


def as_images(pixels: npt.NDArray[np.uint8]) -> Float[Tensor, "b ..."]:
    """Pixels (b, h, w) or (b, h, w, 3) as a network takes them, in 0..1."""
    return torch.from_numpy(pixels.astype(np.float32) / 255)


class Batches:
    """Batches of uint8 images (n, h, w) or (n, h, w, 3) as float (b, h, w) or (b, h, w, 3) in 0..1.

    shift_pixels: each image moves by up to so many pixels in each direction, the border filled with zeros.
    shifted_steps: in batches before that step alone; None: in all.
    rank, world: the share of each batch that this process takes. Raises ConfigError where one would get nothing.
    """

    def __init__(
        self,
        images: npt.NDArray[np.uint8],
        batch_size: int,
        seed: int,
        *,
        shift_pixels: int = 0,
        shifted_steps: int | None = None,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._images = images
        self._batch_size = min(batch_size, len(images))
        if self._batch_size < world:
            raise ConfigError(f"batch_size: {self._batch_size} images for {world} processes, expected one each or more")
        self._seed = seed
        self._shift_pixels = shift_pixels
        self._shifted_steps = shifted_steps
        self._rank, self._world = rank, world
        self._epoch = -1
        self._order: npt.NDArray[np.int64] = np.empty(0, np.int64)

    def __getitem__(self, step: int) -> Float[Tensor, "b ..."]:
        images = self._images[self.chosen(step)]
        if self._shift_pixels and (self._shifted_steps is None or step < self._shifted_steps):
            images = _shifted(images, self._shift_pixels, stream_seed(SHIFT_STREAM, self._seed, step, self._rank))
        return as_images(images)

    def chosen(self, step: int) -> npt.NDArray[np.int64]:
        """Numbers of the images of batch `step` that are this process's share."""
        per_epoch = len(self._images) // self._batch_size
        epoch, position = divmod(step, per_epoch)
        if epoch != self._epoch:
            rng = np.random.default_rng(stream_seed(ORDER_STREAM, self._seed, epoch))
            self._order, self._epoch = rng.permutation(len(self._images)), epoch
        batch = self._order[position * self._batch_size : (position + 1) * self._batch_size]
        return batch[self._rank :: self._world]


def _shifted(images: npt.NDArray[np.uint8], reach: int, seed: int) -> npt.NDArray[np.uint8]:
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0))[: images.ndim])
    corners = np.random.default_rng(seed).integers(0, 2 * reach + 1, size=(len(images), 2))
    return np.stack([p[y : y + height, x : x + width] for p, (y, x) in zip(padded, corners, strict=True)])
