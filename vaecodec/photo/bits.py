"""Where the bits of a photograph went: information content by layer and place, for people who ask.

payloads --decode_region, watched--> symbols, their tables --−log2 P--> bits of z, of each place of y and detail
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaecodec.arrays import Size
from vaecodec.entropy.tables import Float64
from vaecodec.photo.checkerboard import colours
from vaecodec.photo.convolution import Int32
from vaecodec.photo.latents import ExactPhoto, Layer, by_table, decode_region
from vaecodec.photo.model import PhotoModel
from vaecodec.photo.order import Part
from vaecodec.photo.regions import latent_size, region_grid
from vaecodec.photo.synthesis import Told


@dataclass(frozen=True, slots=True, eq=False)
class PictureBits:
    """Bits of z, all together; of y and of the detail at each position (h, w), each of 16×16 pixels."""

    hyper: float
    base: Float64
    detail: Float64

    @property
    def total(self) -> float:
        """All of them."""
        return self.hyper + float(self.base.sum() + self.detail.sum())


def picture_bits(model: PhotoModel, payloads: Sequence[bytes], level: int, size: Size) -> PictureBits:
    """Of a picture of (h, w) pixels. Raises FormatError's children where the payloads are none."""
    grid = latent_size(size)
    found = PictureBits(0.0, np.zeros(grid), np.zeros(grid))
    hyper = 0.0
    for region, payload in zip(region_grid(size), payloads, strict=True):
        counted = _Counted(model.networks, region.shape)
        decode_region(model.networks, payload, level, region.shape, counted)
        hyper += counted.hyper_bits
        found.base[region.inside], found.detail[region.inside] = counted.maps["base"], counted.maps["detail"]
    return PictureBits(hyper, found.base, found.detail)


class _Counted:
    """The Watch of a region."""

    def __init__(self, networks: ExactPhoto, shape: Size) -> None:
        self._networks, self._shape = networks, shape
        self.hyper_bits = 0.0
        self.maps: dict[Layer, Float64] = {"base": np.zeros(shape), "detail": np.zeros(shape)}

    def hyper(self, symbols: Int32) -> None:
        flat = symbols.reshape(-1, symbols.shape[2])
        self.hyper_bits = float(self._networks.z_tables.information_bits(flat).sum())

    def half(self, layer: Layer, part: Part[Told], symbols: Int32) -> None:
        bits, flat = np.empty(symbols.size), symbols.ravel()
        for number, places in by_table(part.scale):
            bits[places] = self._networks.gaussians.tables[number].information_bits(flat[places, None])
        at_positions = bits.reshape(symbols.shape).sum(axis=1, keepdims=True)
        self.maps[layer] += colours(self._shape)[part.parity].place(at_positions)[..., 0]
