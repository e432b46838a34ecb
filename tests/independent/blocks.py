"""A block: one record of 1 to 128 images (sections 13.2, 14.6 and 20).

record --parse, with the model's geometry--> codings, sizes, windows, labels, payload, names
payload --decode, with the model--> images
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.independent.checks import crc32
from tests.independent.cursor import Cursor
from tests.independent.exact_images import decode_images, stored_image, stored_length
from tests.independent.labels import read_labels
from tests.independent.model_file import Model
from tests.independent.names_table import read_names
from tests.independent.range_coder import RangeDecoder
from tests.independent.records import BLOCK, BLOCK_FLAGS, MAX_BLOCK_BYTES, Record
from tests.independent.refusal import require
from tests.independent.streams import (
    CODED,
    EXACT,
    LOSSLESS,
    NEAR_LOSSLESS,
    STORED_BITS,
    check_coding,
    check_coding_of,
    check_error,
)
from tests.independent.windows import Window, read_window

MAX_BLOCK_IMAGES = 128
NAMED, LABELLED, ONE_SIZE, SIZES, CODINGS, ONE_WINDOW, WINDOWS = 1, 2, 4, 8, 16, 32, 64

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Start:
    """The first fields of a block, which need no model."""

    model: int
    images: int
    first: int
    names_size: int

    @classmethod
    def of(cls, record: Record) -> "Start":
        """Of a record whose check is not compared yet."""
        return _start(Cursor(record.data, record.body_start), record)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A whole block; names are read on their own."""

    start: Start
    codings: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    error: int
    pixels_check: int | None
    labels: NDArray[np.int64] | None
    payload: bytes
    names_section: bytes | None
    windows: tuple[Window, ...] | None

    def names(self) -> list[str] | None:
        """The names of the images; None where they have none."""
        return None if self.names_section is None else read_names(self.names_section, self.start.images)

    def images(self, model: Model) -> list[Pixels]:
        """All images."""
        for coding in self.codings:
            check_coding_of(coding, model)
        return self._exact(model) if self.codings[0] in EXACT else self._lossy(model)

    def _lossy(self, model: Model) -> list[Pixels]:
        decoder = RangeDecoder(self.payload)
        symbols = [model.decode_symbols(decoder, level) for level in self.codings]
        decoder.end()
        images = [model.synthesise(row, level) for row, level in zip(symbols, self.codings, strict=True)]
        return [image[:height, :width] for image, (height, width) in zip(images, self.sizes, strict=True)]

    def _exact(self, model: Model) -> list[Pixels]:
        assert model.lossless is not None
        cursor = Cursor(self.payload)
        images: dict[int, Pixels] = {}
        for number, (coding, size) in enumerate(zip(self.codings, self.sizes, strict=True)):
            if coding not in CODED:
                one_bit = coding == STORED_BITS
                pixels = cursor.take(stored_length(size, one_bit), "stored pixels")
                images[number] = stored_image(pixels, size, one_bit)
        coded = [number for number, coding in enumerate(self.codings) if coding in CODED]
        if not coded:
            cursor.end("stored pixels")
            return [images[number] for number in range(len(images))]
        payload = cursor.take(cursor.left(), "payload")
        errors = [self.error if self.codings[number] == NEAR_LOSSLESS else 0 for number in coded]
        found = decode_images(model.lossless, RangeDecoder(payload), [self.sizes[number] for number in coded], errors)
        require(crc32(*(image.tobytes() for image in found)) == self.pixels_check, "BadChecksum", "pixels")
        images |= dict(zip(coded, found, strict=True))
        return [images[number] for number in range(len(images))]


def _start(cursor: Cursor, record: Record) -> Start:
    require(record.kind & BLOCK == BLOCK and record.kind <= BLOCK + BLOCK_FLAGS, "BadField", "no block")
    require(record.body_end - record.start <= MAX_BLOCK_BYTES, "LimitExceeded", "a block that is too long")
    model = cursor.uvarint("a block's model")
    images = cursor.unsigned(1, "a block's images") + 1
    require(images <= MAX_BLOCK_IMAGES, "LimitExceeded", f"a block of {images} images")
    first = cursor.uvarint("a block's first image")
    names_size = cursor.uvarint("names' bytes") if record.kind & NAMED else 0
    require(cursor.position + names_size <= record.body_end, "BadField", "names that are longer than the block")
    return Start(model, images, first, names_size)


def require_block_check(record: Record, fingerprint: bytes) -> None:
    """Refuses a block that is not whole, or was made with another model; its names have a check of their own."""
    start = Start.of(record)
    record.require_check(record.body_end - start.names_size, fingerprint)


def read_block(record: Record, fingerprint: bytes, geometry: tuple[int, int]) -> Block:
    """The block of a whole record, made with the model of this fingerprint."""
    require_block_check(record, fingerprint)
    cursor = Cursor(record.data[: record.body_end], record.body_start)
    start = _start(cursor, record)
    payload_end = record.body_end - start.names_size
    codings = _read_codings(cursor, record.kind, start.images)
    error = 0
    if NEAR_LOSSLESS in codings:
        error = cursor.unsigned(1, "E")
        check_error(error)
    pixels_check = cursor.unsigned(4, "pixels' check") if set(CODED) & set(codings) else None
    sizes = _read_sizes(cursor, record.kind, start.images, geometry)
    windows = _read_windows(cursor, record.kind, start.images)
    labels = read_labels(cursor, start.images) if record.kind & LABELLED else None
    require(cursor.position <= payload_end, "Truncated", "a block's payload")
    payload = cursor.take(payload_end - cursor.position, "payload")
    names = cursor.take(start.names_size, "names") if record.kind & NAMED else None
    return Block(start, codings, sizes, error, pixels_check, labels, payload, names, windows)


def _read_codings(cursor: Cursor, kind: int, images: int) -> tuple[int, ...]:
    if kind & CODINGS:
        codings = tuple(cursor.take(images, "codings"))
        require(len(set(codings)) > 1, "NotCanonical", "equal codings, each stated")
    else:
        codings = (cursor.unsigned(1, "coding"),) * images
    for coding in codings:
        check_coding(coding)
    exact = [coding in EXACT for coding in codings]
    require(all(exact) or not any(exact), "BadField", "lossy and exact images in one block")
    both = LOSSLESS in codings and NEAR_LOSSLESS in codings
    require(not both, "BadField", "lossless and near-lossless images in one block")
    return codings


def _read_sizes(cursor: Cursor, kind: int, images: int, geometry: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    require(not (kind & ONE_SIZE and kind & SIZES), "BadField", "one size and several")
    if not kind & (ONE_SIZE | SIZES):
        return (geometry,) * images
    stated = 1 if kind & ONE_SIZE else images
    sizes = tuple((cursor.unsigned(1, "height") + 1, cursor.unsigned(1, "width") + 1) for _ in range(stated))
    for height, width in sizes:
        require(height <= geometry[0] and width <= geometry[1], "BadField", "a size larger than the model's")
    if kind & ONE_SIZE:
        require(sizes[0] != geometry, "NotCanonical", "a size that is the model's")
        return sizes * images
    require(len(set(sizes)) > 1, "NotCanonical", "equal sizes, each stated")
    return sizes


def _read_windows(cursor: Cursor, kind: int, images: int) -> tuple[Window, ...] | None:
    require(not (kind & ONE_WINDOW and kind & WINDOWS), "BadField", "one window and several")
    if kind & ONE_WINDOW:
        return (read_window(cursor),) * images
    if not kind & WINDOWS:
        return None
    windows = tuple(read_window(cursor) for _ in range(images))
    require(len(set(windows)) > 1, "NotCanonical", "equal windows, each stated")
    return windows
