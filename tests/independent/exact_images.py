"""Exact images: one payload of lossless or near-lossless images, and stored pixels (sections 14.2 to 14.6).

payload --latents--> symbols --map--> phase by phase: flags, values --> images (b, h, w) of the model's geometry
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.independent.lossless_part import PHASES, LosslessPart
from tests.independent.range_coder import TOTAL, RangeDecoder
from tests.independent.refusal import require

Pixels = NDArray[np.uint8]


def decode_images(
    part: LosslessPart, decoder: RangeDecoder, sizes: Sequence[tuple[int, int]], errors: Sequence[int]
) -> list[Pixels]:
    """The images of one payload, cropped to their sizes; errors: 0 for lossless ones, E for the others."""
    symbols = np.stack([part.tables.decode(decoder) for _ in sizes])
    known = part.map_of(symbols)
    rows, columns = part.phases[0].result.shape[:2]
    images = np.zeros((len(sizes), 2 * rows, 2 * columns), np.uint8)
    for network, (row, column) in zip(part.phases, PHASES, strict=True):
        pixels = _decode_phase(part, decoder, network.run(known), errors)
        images[:, row::2, column::2] = pixels
        known = np.concatenate([known, pixels.reshape(len(sizes), -1)], axis=1)
    decoder.end()
    return [_cropped(image, size) for image, size in zip(images, sizes, strict=True)]


def _decode_phase(
    part: LosslessPart, decoder: RangeDecoder, indices: NDArray[np.int64], errors: Sequence[int]
) -> NDArray[np.int64]:
    """The pixels (b, h/2, w/2) of one phase: the flags of all images, then the values of all."""
    zero_counts = part.zero_counts[indices[..., 0] + len(part.zero_counts) // 2]
    flags = np.array([decoder.flag(count) for count in zero_counts.ravel().tolist()]).reshape(zero_counts.shape)
    pixels = 255 * flags
    if part.mixture is None:
        return pixels
    for image, error in enumerate(errors):
        counts = part.mixture.bin_counts(indices[image, flags[image] == 1, 1:], error)
        columns = _decode_values(decoder, counts)
        pixels[image, flags[image] == 1] = np.minimum(255, (2 * error + 1) * (columns + 1))
    return pixels


def _decode_values(decoder: RangeDecoder, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Columns (p,) of rows (p, bins); nothing is coded where there is one bin."""
    if counts.shape[1] == 1:
        return np.zeros(len(counts), np.int64)
    starts = np.zeros((len(counts), counts.shape[1] + 1), np.int64)
    np.cumsum(counts, axis=1, out=starts[:, 1:])
    assert (starts[:, -1] == TOTAL).all()
    return np.array([decoder.column(row.tolist()) for row in starts], np.int64)


def _cropped(image: Pixels, size: tuple[int, int]) -> Pixels:
    """The top left of an image, whose other pixels must repeat its edge."""
    cropped = image[: size[0], : size[1]]
    beyond = [(0, whole - part) for whole, part in zip(image.shape, size, strict=True)]
    repeats = bool((np.pad(cropped, beyond, mode="edge") == image).all())
    require(repeats, "NotCanonical", "what lies beyond the image does not repeat its edge")
    return cropped


def stored_length(size: tuple[int, int], one_bit: bool) -> int:
    """Bytes of stored pixels."""
    pixels = size[0] * size[1]
    return (pixels + 7) // 8 if one_bit else pixels


def stored_image(data: bytes, size: tuple[int, int], one_bit: bool) -> Pixels:
    """The image of stored pixels, of the right length."""
    numbers = np.frombuffer(data, np.uint8)
    if one_bit:
        bits = np.unpackbits(numbers)
        require(not bits[size[0] * size[1] :].any(), "NotCanonical", "stored bits are filled up with ones")
        return 255 * bits[: size[0] * size[1]].reshape(size)
    image = numbers.reshape(size)
    require(bool(((image > 0) & (image < 255)).any()), "NotCanonical", "stored bytes that are all 0 or 255")
    return image
