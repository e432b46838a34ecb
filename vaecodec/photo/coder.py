"""A picture to the payloads of its regions and back. Start here.

    pixels (h, w, 3) --analysis--> y --regions--> base of all --synthesis--> what it leaves --KLT--> detail --> payloads
    payloads --regions--> what is told of all latents --synthesis, in stripes--> pixels

Regions know nothing of each other's latents while they are coded; the synthesis sees those of the whole picture, so
that there are no seams.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vaecodec.arrays import Pixels, Size
from vaecodec.entropy.quantizer import MAX_SYMBOL
from vaecodec.errors import BadField, ImageSizeError, ModelError
from vaecodec.photo.convolution import Float32
from vaecodec.photo.latents import ExactPhoto, RegionEncoder, decode_region
from vaecodec.photo.model import PhotoModel
from vaecodec.photo.regions import BLOCK, Region, latent_size, region_grid
from vaecodec.photo.synthesis import BASIS_BITS, PIXEL_BITS, STEP_BITS, Told, to_bytes

MOST_WEIGHT = 1e30  # far beyond any β, and its products are finite float32
STRIPE_POSITIONS = 1 << 13  # of y, that are made into pixels at once
LEAST_STRIPE = 8  # rows of y: the halo of a stripe is computed besides


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPicture:
    """A payload for each region, and the pixels (h, w, 3) that a decoder gives."""

    payloads: tuple[bytes, ...]
    pixels: Pixels


def encode_picture(model: PhotoModel, pixels: Pixels, level: int) -> EncodedPicture:
    """pixels: uint8 (h, w, 3), of any size from 1×1. Raises ImageSizeError, ModelError, KnownAnswerMismatch."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ImageSizeError(f"expected uint8 pixels (h, w, 3), found {pixels.dtype} {pixels.shape}")
    if model.encoder is None:
        raise ModelError(f"{model.name} holds its decoder alone (it has no analysis): it cannot compress")
    networks, size = model.networks, (pixels.shape[0], pixels.shape[1])
    weight = _detail_weight(model, level)
    regions = region_grid(size)
    padded = _padded(pixels)
    y = model.analysis.latents(padded)
    base = np.empty(y.shape, np.int16)
    encoders = [RegionEncoder(networks, level) for _ in regions]
    for region, encoder in zip(regions, encoders, strict=True):
        scaled = _gained(y[region.inside], model.encoder.gain[level], model.name)
        z = np.rint(_gained(model.analysis.hyperlatents(scaled), model.encoder.z_gain[level], model.name)).astype(
            np.int32
        )
        base[region.inside] = encoder.tell_base(z.astype(np.int32), scaled)
    del y
    made = np.empty_like(padded)
    trunk = networks.synthesis.trunk(base, level) if len(regions) == 1 else None
    for top, rows in _rows_of_regions(regions):
        picture = _base_picture(networks, base, level, top, top + rows[0][0].height, trunk)
        detail = np.zeros((rows[0][0].height, base.shape[1], networks.detail_channels), np.int16)
        if level >= networks.silent:
            original = padded[top * BLOCK :][: len(picture)]
            for region, number in rows:
                columns = slice(region.left * BLOCK, (region.left + region.width) * BLOCK)
                latents = _detail_latents(networks, original[:, columns], picture[:, columns], level)
                detail[:, region.inside[1]] = encoders[number].tell_detail(latents, weight, trunk)
        _finish_rows(networks, picture, detail, level, made[top * BLOCK :])
    return EncodedPicture(tuple(encoder.finish() for encoder in encoders), made[: size[0], : size[1]])


def _gained(latents: Float32, gain: Float32, name: str) -> Float32:
    """Latents times their gains, which a file may set to anything. Raises ModelError where no symbol comes of them."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled: Float32 = latents * gain
    if not (np.abs(scaled) < MAX_SYMBOL).all():
        raise ModelError(f"{name}: its gains make latents of this picture that no symbol can tell")
    return scaled


def _detail_weight(model: PhotoModel, level: int) -> float:
    """Bits that a squared error of a step of the detail is worth; 0 where a level tells nothing of it.

    Raises ModelError where β or the step, which a decoder does not ask about, say nothing that an encoder can use.
    """
    networks = model.networks
    if level < networks.silent:
        return 0.0
    step, beta = _step(networks, level), model.betas[level]
    weight = step**2 / (3 * beta) if step > 0 and beta > 0 else 0.0
    if not 0 < weight < MOST_WEIGHT:
        raise ModelError(f"{model.name}: level {level} has a step of {step:g} and β {beta:g}: it can be decoded alone")
    return weight


def decode_picture(model: PhotoModel, payloads: Sequence[bytes], level: int, size: Size) -> Pixels:
    """uint8 (h, w, 3); size: (h, w). Raises BadField, FormatError's other children, KnownAnswerMismatch."""
    regions = region_grid(size)
    if len(payloads) != len(regions):
        raise BadField(f"picture of {size[0]}x{size[1]}: {len(payloads)} payloads, expected {len(regions)}")
    if not 0 <= level < len(model.betas):
        raise BadField(f"picture: level {level}, the model {model.name} has {len(model.betas)}")
    networks, grid = model.networks, latent_size(size)
    base = np.empty((*grid, sum(networks.base_heads.sizes)), np.int16)
    detail = np.empty((*grid, networks.detail_channels), np.int16)
    trunk = None
    for region, payload in zip(regions, payloads, strict=True):
        told = decode_region(networks, payload, level, region.shape)
        base[region.inside], detail[region.inside] = told.base, told.detail
        trunk = told.trunk if len(regions) == 1 else None
    made = np.empty((grid[0] * BLOCK, grid[1] * BLOCK, 3), np.uint8)
    for begin, end in _stripes(0, *grid):
        picture = networks.synthesis.picture(base, level, begin, end, trunk)
        _finish_rows(networks, picture, detail[begin:end], level, made[begin * BLOCK :])
    return made[: size[0], : size[1]]


def _rows_of_regions(regions: Sequence[Region]) -> Iterator[tuple[int, list[tuple[Region, int]]]]:
    """The first row of each row of regions, and these with their numbers."""
    for top in sorted({region.top for region in regions}):
        yield top, [(region, number) for number, region in enumerate(regions) if region.top == top]


def _stripes(first: int, last: int, width: int) -> Iterator[tuple[int, int]]:
    """Rows of y that are made into pixels at once: (the first, the one after the last)."""
    rows = max(LEAST_STRIPE, STRIPE_POSITIONS // width)
    for begin in range(first, last, rows):
        yield begin, min(last, begin + rows)


def _base_picture(networks: ExactPhoto, base: Told, level: int, first: int, last: int, trunk: Float32 | None) -> Told:
    """64ths of a grey level, of some rows of y (16 rows, 16 w, 3). trunk: of all rows, where it is known."""
    made = np.empty(((last - first) * BLOCK, base.shape[1] * BLOCK, 3), np.int16)
    for begin, end in _stripes(first, last, base.shape[1]):
        made[(begin - first) * BLOCK : (end - first) * BLOCK] = networks.synthesis.picture(
            base, level, begin, end, trunk
        )
    return made


def _padded(pixels: Pixels) -> Pixels:
    """Sides that are multiples of 16, by repeating the last row and column."""
    missing = [-side % BLOCK for side in pixels.shape[:2]]
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge") if any(missing) else pixels


def _finish_rows(networks: ExactPhoto, picture: Told | Float32, detail: Told, level: int, made: Pixels) -> None:
    """Add what the detail says to a picture of the base, the same rows of it, and round into the first rows of made."""
    for begin, end in _stripes(0, *detail.shape[:2]):
        base = picture[begin * BLOCK : end * BLOCK].astype(np.float32)
        if level >= networks.silent:
            base += networks.synthesis.detail(detail[begin:end], level)
        made[begin * BLOCK : end * BLOCK] = to_bytes(base)


def _step(networks: ExactPhoto, level: int) -> float:
    """Of the detail, in grey levels."""
    return float(networks.synthesis.step[level]) * 2.0 ** (4 - PIXEL_BITS - STEP_BITS)


def _detail_latents(networks: ExactPhoto, original: Pixels, picture: Told, level: int) -> Float32:
    """What the base leaves, through the KLT: (h, w, 4 components), in steps."""
    synthesis = networks.synthesis
    basis = synthesis.basis.T.astype(np.float32) * np.float32(2.0**-BASIS_BITS / _step(networks, level))
    height, width = original.shape[0] // BLOCK, original.shape[1] // BLOCK
    side = BLOCK // 2
    latents = np.empty((height, width, len(synthesis.basis), 2, 2), np.float32)
    for row in range(height):
        band = slice(row * BLOCK, (row + 1) * BLOCK)
        left = original[band].astype(np.float32) - picture[band] * np.float32(2.0**-PIXEL_BITS)
        blocks = left.reshape(2, side, width, 2, side, 3).transpose(2, 0, 3, 5, 1, 4).reshape(width * 4, -1)
        latents[row] = (blocks @ basis).reshape(width, 2, 2, -1).transpose(0, 3, 1, 2)
    return latents.reshape(height, width, -1)
