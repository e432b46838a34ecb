"""A segment's footer: what lies where in it (section 13.5).

start | models | blocks | metadata | names' table | footer
"""

from dataclasses import dataclass

from tests.independent.cursor import Cursor
from tests.independent.names_table import NAMES_PER_PAGE, table_bytes
from tests.independent.records import FOOTER, HEADER_BYTES, MAX_FOOTER_BYTES, Record, record_bytes
from tests.independent.refusal import require

MAX_ARCHIVE_MODELS = 4096
MAX_SEGMENT_IMAGES = 4294967295


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """A model's fingerprint, and where its records lie: the embedded model's too, (0, 0) where there is none."""

    fingerprint: bytes
    record: tuple[int, int]
    embedded: tuple[int, int]


@dataclass(frozen=True, slots=True)
class BlockPlace:
    """A block's record, and the numbers of its images as far as the index tells them."""

    start: int
    size: int
    first: int
    images: int


@dataclass(frozen=True, slots=True)
class NamesPlace:
    """A names' table's record; page_hashes: the hash of each page's first entry."""

    start: int
    size: int
    entries: int
    page_hashes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Footer:
    """What a footer says; positions are in the file."""

    start: int
    first_image: int
    images: int
    first_model: int
    models: tuple[ModelPlace, ...]
    blocks: tuple[BlockPlace, ...]
    metadata: tuple[int, int] | None
    names: NamesPlace | None


def most_images(size: int) -> int:
    """How many images so many bytes have room for."""
    return 128 * (size // 12)


def fingerprints_in(record: Record) -> set[bytes]:
    """Of the models that a footer names, wherever it stands."""
    cursor = Cursor(record.checked_body(FOOTER))
    start, _, first_model = cursor.uvarint("start"), cursor.uvarint("first image"), cursor.uvarint("first model")
    return {model.fingerprint for model in _read_models(cursor, start, first_model)[0]}


def read_footer(record: Record) -> Footer:
    """The footer of a whole record. Refuses one that does not fit what lies before it."""
    require(record.end - record.start <= MAX_FOOTER_BYTES, "LimitExceeded", "a footer that is too long")
    cursor = Cursor(record.checked_body(FOOTER))
    start = cursor.uvarint("start")
    require(HEADER_BYTES <= start <= record.start, "BadField", f"a segment that starts at {start}")
    first_image, first_model = cursor.uvarint("first image"), cursor.uvarint("first model")
    require(first_image <= most_images(start), "BadField", f"{first_image} images in {start} bytes")
    models, position = _read_models(cursor, start, first_model)
    metadata_size = cursor.uvarint("metadata")
    names_size = cursor.uvarint("names")
    entries, page_hashes = 0, ()
    if names_size:
        entries = cursor.uvarint("entries")
        pages = -(-entries // NAMES_PER_PAGE)
        require(4 * pages <= cursor.left(), "Truncated", "hashes of pages")
        page_hashes = tuple(cursor.unsigned(4, "a page's hash") for _ in range(pages))
    blocks, images, position = _read_blocks(cursor, position, first_image)
    cursor.end("footer")
    require(position + metadata_size + names_size == record.start, "BadField", "lengths that do not lead to the footer")
    metadata = (position, metadata_size) if metadata_size else None
    if names_size:
        body = table_bytes(entries, images)
        require(names_size == record_bytes(body), "BadField", f"a names' table of {names_size} bytes")
    names = NamesPlace(position + metadata_size, names_size, entries, page_hashes) if names_size else None
    return Footer(start, first_image, images, first_model, models, blocks, metadata, names)


def _read_models(cursor: Cursor, start: int, first_model: int) -> tuple[tuple[ModelPlace, ...], int]:
    number = cursor.uvarint("models")
    require(first_model + number <= MAX_ARCHIVE_MODELS, "LimitExceeded", f"{first_model + number} models")
    models = []
    for _ in range(number):
        fingerprint = cursor.take(32, "fingerprint")
        size, size_embedded = cursor.uvarint("a model record"), cursor.uvarint("an embedded model")
        embedded = (start + size, size_embedded) if size_embedded else (0, 0)
        models.append(ModelPlace(fingerprint, (start, size), embedded))
        start += size + size_embedded
    return tuple(models), start


def _read_blocks(cursor: Cursor, position: int, first: int) -> tuple[tuple[BlockPlace, ...], int, int]:
    number = cursor.uvarint("blocks")
    runs: list[tuple[int, int]] = []
    counted = 0
    while counted < number:
        images, blocks = cursor.unsigned(1, "images of a run") + 1, cursor.uvarint("blocks of a run")
        require(images <= 128, "BadField", f"blocks of {images} images")
        require(1 <= blocks <= number - counted, "BadField", f"a run of {blocks} blocks")
        require(not runs or runs[-1][0] != images, "NotCanonical", "two runs that are one")
        runs.append((images, blocks))
        counted += blocks
    require(number <= cursor.left(), "Truncated", "lengths of blocks")
    total = sum(images * blocks for images, blocks in runs)
    require(total <= MAX_SEGMENT_IMAGES, "LimitExceeded", f"{total} images in a segment")
    places = []
    for images, blocks in runs:
        for _ in range(blocks):
            size = cursor.uvarint("the length of a block")
            places.append(BlockPlace(position, size, first, images))
            position += size
            first += images
    return tuple(places), total, position
