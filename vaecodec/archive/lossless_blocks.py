"""Blocks of exact images: one coder stream for all that are coded, and the pixels of those that are stored.

images ─┬─ shorter stored ──────> their pixels, one after the other ─┐
        └─ the others ──coder──> latents of all, then phase by phase ─┴──> payload

What is decoded is kept deflated: decoding an image takes milliseconds, inflating it ten microseconds.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from vaecodec.arrays import Pixels, Size
from vaecodec.bitstream.archive.codings import NO_CHECK, Codings
from vaecodec.bitstream.reader import Reader
from vaecodec.bitstream.stream import CODED_EXACTLY, CODING_LOSSLESS, CODING_NEAR_LOSSLESS
from vaecodec.codec.images import Framed
from vaecodec.codec.lossless import LosslessCodec
from vaecodec.errors import BadChecksum
from vaecodec.pixels.coder import decode_payloads, encode_payloads
from vaecodec.pixels.near_lossless import Bins
from vaecodec.pixels.stored import pack_stored, stored_bytes, stored_coding, unpack_stored

DEFLATE_LEVEL = 1  # the fastest: 6 would save a twentieth of digits, a third of sprites
OBJECT_BYTES = 43  # of Python's objects around the bytes of an image


@dataclass(frozen=True, slots=True, eq=False)
class BlockPayload:
    """How the images of a block are coded, and the bytes of all of them."""

    codings: Codings
    payload: bytes


class DeflatedImages(Sequence[Pixels]):
    """Images (h, w), each deflated by itself: what is kept of digits takes a quarter, of sprites a fortieth."""

    def __init__(self, images: Sequence[Pixels]) -> None:
        self._widths = np.array([image.shape[1] for image in images], np.uint16)
        self._parts = [zlib.compress(image.tobytes(), DEFLATE_LEVEL) for image in images]

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, row: int) -> Pixels: ...
    @overload
    def __getitem__(self, row: slice) -> list[Pixels]: ...
    def __getitem__(self, row: int | slice) -> Pixels | list[Pixels]:
        if isinstance(row, slice):
            return [self[k] for k in range(*row.indices(len(self)))]
        pixels = np.frombuffer(zlib.decompress(self._parts[row]), np.uint8)
        return pixels.reshape(-1, int(self._widths[row]))

    @property
    def nbytes(self) -> int:
        """What they take."""
        return sum(OBJECT_BYTES + len(data) for data in self._parts)


def encode_exact(codec: LosslessCodec, images: Sequence[Framed], max_error: int) -> BlockPayload:
    """The block of images, each within max_error grey levels."""
    bins = Bins(max_error)
    whole, places = codec.rounded(images, bins)
    symbols, coded = codec.analyse(images), b""
    limits = np.array([8 * len(pack_stored(image.pixels)) for image in images])
    while len(places):
        codec.prove(len(places))
        encoded = encode_payloads(codec.part, bins, [len(places)], symbols[places], whole[places])
        kept = encoded.spent.total <= limits[places]
        if kept.all():
            coded = encoded.payloads[0]
            break
        places = places[kept]
    chosen = set(places.tolist())
    coding = CODING_NEAR_LOSSLESS if max_error else CODING_LOSSLESS
    each = tuple(coding if k in chosen else stored_coding(image.pixels) for k, image in enumerate(images))
    stored = b"".join(pack_stored(image.pixels) for k, image in enumerate(images) if k not in chosen)
    check = pixels_check([codec.frame.cropped(whole[k], images[k].size) for k in places.tolist()])
    return BlockPayload(Codings(each, max_error if chosen else 0, check), stored + coded)


def decode_stored(found: BlockPayload, sizes: Sequence[Size]) -> dict[int, Pixels]:
    """The images (h, w) of a block that are stored, by their place: they need none of the others. Raises Truncated."""
    return _take_stored(Reader(found.payload), found.codings, sizes)


def decode_exact(codec: LosslessCodec, found: BlockPayload, sizes: Sequence[Size]) -> list[Pixels]:
    """The images (h, w) of a block, of these sizes. Raises FormatError's children."""
    codings, reader = found.codings, Reader(found.payload)
    images = _take_stored(reader, codings, sizes)
    places = [k for k in range(len(sizes)) if k not in images]
    if not places:
        reader.end("block of stored images")
        return list(images.values())
    codec.prove(len(places))
    payload = bytes(reader.take(reader.remaining, "payload"))
    _, whole = decode_payloads(codec.part, Bins(codings.max_error), [len(places)], [payload])
    images |= {k: codec.cropped(image, sizes[k]) for k, image in zip(places, whole, strict=True)}
    check = pixels_check([images[k] for k in places])
    if check != codings.pixels_check:
        raise BadChecksum(f"pixels of the block: expected {codings.pixels_check:08x}, decoded to {check:08x}")
    return [images[k] for k in range(len(sizes))]


def _take_stored(reader: Reader, codings: Codings, sizes: Sequence[Size]) -> dict[int, Pixels]:
    return {
        k: unpack_stored(coding, bytes(reader.take(stored_bytes(coding, size), "stored pixels")), size)
        for k, (coding, size) in enumerate(zip(codings.each, sizes, strict=True))
        if coding not in CODED_EXACTLY
    }


def pixels_check(images: Sequence[Pixels]) -> int:
    """CRC-32 of the pixels of images (h, w), row by row, one after the other."""
    check = NO_CHECK
    for image in images:
        check = zlib.crc32(image.tobytes(), check)
    return check
