"""An archive's index: where its segments, blocks, models and names lie, as its footers tell or as a scan finds (13.6).

trailer at the end --> last footer --start--> trailer before it --> … --> header; where one is damaged, scan before it
"""

from dataclasses import dataclass

from tests.independent.footers import BlockPlace, Footer, ModelPlace, NamesPlace, read_footer
from tests.independent.records import (
    HEADER_BYTES,
    TRAILER_BYTES,
    TRAILER_MAGIC,
    Record,
    holds,
    require_header,
    trailer_at,
)
from tests.independent.refusal import Refused, require
from tests.independent.scan import last_footer, scan


@dataclass(frozen=True, slots=True)
class NamesSpan:
    """A segment's names' table, and the numbers of the images it speaks of."""

    place: NamesPlace
    first: int
    images: int


@dataclass(frozen=True, slots=True)
class Index:
    """What is known without decoding. Places of metadata: (start, size), None where there is none."""

    images: int
    models: tuple[ModelPlace, ...]
    blocks: tuple[BlockPlace, ...]
    metadata: tuple[int, int] | None
    names: tuple[NamesSpan, ...]
    problems: tuple[str, ...]


def read_index(data: bytes) -> Index:
    """The index of an archive. Refuses what is none."""
    problems: list[str] = []
    end = _end(data, problems)
    footers: list[Footer] = []
    scanned_to = _walk(data, end, footers)
    if scanned_to is None:
        return _joined(None, footers, problems)
    problems.append(f"what lies before {scanned_to} has no whole footer")
    before = _scanned(data, scanned_to)
    require(bool(before.blocks or footers), "Truncated", "neither a footer nor a block")
    return _joined(before, footers, problems)


def _end(data: bytes, problems: list[str]) -> int:
    """Where the archive ends: after a trailer, or after a footer that has none."""
    if trailer_at(data, len(data)) is not None:
        if not holds(require_header, data):
            problems.append("the header is damaged")
        return len(data)
    require_header(data)
    position = data.rfind(TRAILER_MAGIC)
    while position >= 0 and not _is_trailer(data, position + 4):
        position = data.rfind(TRAILER_MAGIC, 0, position + len(TRAILER_MAGIC) - 1)
    end = position + 4 if position >= 0 else HEADER_BYTES
    footer = last_footer(data, end)
    if footer is not None:
        end = footer.end
    elif position < 0:
        end = len(data)
    problems.append(f"no trailer at the end; {len(data) - end} bytes after the archive's end are ignored")
    return end


def _is_trailer(data: bytes, end: int) -> bool:
    try:
        return trailer_at(data, end) is not None
    except Refused:
        return False


def _walk(data: bytes, end: int, footers: list[Footer]) -> int | None:
    """Prepends footers from the last to the first; where scanning must end, None where it need not be."""
    while True:
        found = _footer_before(data, end)
        if found is None:
            return end
        footers.insert(0, found)
        end = found.start
        if end == HEADER_BYTES:
            return None


def _footer_before(data: bytes, end: int) -> Footer | None:
    """The whole footer of the segment that ends here, by its trailer or, without one, directly."""
    try:
        size = trailer_at(data, end)
        if size is None:
            record = last_footer(data[:end], HEADER_BYTES)
            return read_footer(record) if record is not None and record.end == end else None
        start = end - TRAILER_BYTES - size
        require(start >= HEADER_BYTES, "BadField", "a footer before the header")
        return read_footer(Record.exactly(data, start, size))
    except Refused:
        return None


def _scanned(data: bytes, end: int) -> Index:
    found = scan(data, HEADER_BYTES, end)
    models = []
    for number, fingerprint in enumerate(found.models):
        record, embedded = found.model_records[number], found.embedded.get(number)
        size_embedded = 0 if embedded is None else embedded.end - embedded.start
        models.append(ModelPlace(fingerprint, record.start, record.end - record.start, size_embedded))
    blocks = tuple(BlockPlace(r.start, r.end - r.start, start.first, start.images) for start, r in found.blocks)
    images = max((place.first + place.images for place in blocks), default=0)
    metadata = None if found.metadata is None else (found.metadata.start, found.metadata.end - found.metadata.start)
    return Index(images, tuple(models), blocks, metadata, (), ())


def _joined(before: Index | None, footers: list[Footer], problems: list[str]) -> Index:
    images = before.images if before else 0
    models = list(before.models) if before else []
    blocks = list(before.blocks) if before else []
    metadata = before.metadata if before else None
    names = []
    for footer in footers:
        models += footer.models
        blocks += footer.blocks
        metadata = footer.metadata or metadata
        if footer.names is not None:
            names.append(NamesSpan(footer.names, footer.first_image, footer.images))
        images = max(images, footer.first_image + footer.images)
    return Index(images, tuple(models), tuple(blocks), metadata, tuple(names), tuple(problems))
