"""An archive's index: where its segments, blocks, models and names lie, as its footers tell or as a scan finds (13.6).

trailer at the end --> last footer --start--> trailer before it --> … --> header
where a footer is damaged, everything before its trailer is scanned; so is a segment at the end that has lost its footer
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from tests.independent.cursor import Cursor
from tests.independent.footers import BlockPlace, Footer, ModelPlace, NamesPlace, most_images, read_footer
from tests.independent.records import (
    CHECK_BYTES,
    FOOTER,
    HEADER_BYTES,
    TRAILER_BYTES,
    TRAILER_MAGIC,
    Record,
    holds,
    require_header,
    take_frame,
    trailer_at,
)
from tests.independent.refusal import Refused, require
from tests.independent.scan import Found, footers_from, scan


@dataclass(frozen=True, slots=True)
class NamesSpan:
    """A segment's names' table, and the numbers of the images it speaks of."""

    place: NamesPlace
    first: int
    images: int


@dataclass(slots=True)
class Index:
    """What is known without decoding. Models by number; metadata: (start, size), None where there is none."""

    images: int = 0
    models: dict[int, ModelPlace] = field(default_factory=dict)
    blocks: list[BlockPlace] = field(default_factory=list)
    metadata: tuple[int, int] | None = None
    names: list[NamesSpan] = field(default_factory=list)
    scanned: bool = False
    problems: list[str] = field(default_factory=list)


def read_index(data: bytes, at_hand: Collection[bytes] = ()) -> Index:
    """The index of an archive; at_hand: fingerprints of the models at hand. Refuses what is none."""
    index = Index()
    end, tail = _end(data, index)
    footers, scan_end = _walk(data, end)
    known = {*at_hand, *(model.fingerprint for footer in footers for model in footer.models)}
    finished = was_finished(data, tail)
    found = Found()
    if scan_end is not None or finished:
        found = scan(data, 0, len(data) if finished else tail, known)
    _number_models_of_blocks(found, index)
    if scan_end is not None:
        index.problems.append(f"what lies before {scan_end} has no whole footer")
        index.scanned = True
        _add_blocks(found, index, footers[0].first_image if footers else most_images(len(data)))
        _add_others(found, index, range(footers[0].start if footers else len(data)), 0)
        require(bool(index.blocks or footers or found.footers), "Truncated", "neither a footer nor a block")
    for footer in footers:
        _add_footer(footer, index)
    if footers:
        index.scanned |= _add_blocks(found, index, most_images(len(data)))
        first_model = footers[-1].first_model + len(footers[-1].models)
        _add_others(found, index, range(tail, len(data)), first_model)
    return index


def _end(data: bytes, index: Index) -> tuple[int, int]:
    """Where the archive ends: after the last whole trailer, or after a whole footer that follows it.

    And where the tail begins that follows: such a footer's trailer, which is damaged, is none of it.
    """
    if trailer_at(data, len(data)) is not None:
        if not holds(require_header, data):
            index.problems.append("the header is damaged")
        return len(data), len(data)
    require_header(data)
    position = data.rfind(TRAILER_MAGIC)
    while position >= 0 and trailer_at(data, position + 4) is None:
        position = data.rfind(TRAILER_MAGIC, 0, position + len(TRAILER_MAGIC) - 1)
    end = tail = position + 4 if position >= 0 else len(data)
    for record in footers_from(data, position + 4 if position >= 0 else HEADER_BYTES):
        end, tail = record.end, min(len(data), record.end + TRAILER_BYTES)
    index.problems.append(f"no trailer at the end; {len(data) - tail} bytes follow the last segment")
    return end, tail


def was_finished(data: bytes, position: int) -> bool:
    """Whether what follows the last segment is more than an append that was cut short before its footer."""
    while position < len(data):
        cursor = Cursor(data, position)
        try:
            kind, size = take_frame(cursor)
        except Refused as refused:
            return refused.kind != "Truncated"
        if kind == FOOTER:
            return True
        position = cursor.position + size + CHECK_BYTES
    return False


def _walk(data: bytes, end: int) -> tuple[list[Footer], int | None]:
    """Footers from the first to the last, and where scanning must end; None where it need not be."""
    footers: list[Footer] = []
    while True:
        footer = _footer_before(data, end)
        if footer is None or (footers and not _leads_to(footer, footers[0])):
            return footers, end
        if footer.start == HEADER_BYTES and (footer.first_image or footer.first_model):
            return footers, end
        footers.insert(0, footer)
        end = footer.start
        if end == HEADER_BYTES:
            return footers, None


def _leads_to(footer: Footer, following: Footer) -> bool:
    images = footer.first_image + footer.images == following.first_image
    return images and footer.first_model + len(footer.models) == following.first_model


def _footer_before(data: bytes, end: int) -> Footer | None:
    """The whole footer of the segment that ends here, by its trailer or, without one, directly."""
    try:
        size = trailer_at(data, end)
        if size is None:
            record = next((r for r in footers_from(data[:end], HEADER_BYTES) if r.end == end), None)
            return None if record is None else read_footer(record)
        start = end - TRAILER_BYTES - size
        require(start >= HEADER_BYTES, "BadField", "a footer before the header")
        return read_footer(Record.exactly(data, start, size))
    except Refused:
        return None


def _add_footer(footer: Footer, index: Index) -> None:
    index.models |= dict(enumerate(footer.models, footer.first_model))
    index.blocks += footer.blocks
    index.metadata = footer.metadata or index.metadata
    if footer.names is not None:
        index.names.append(NamesSpan(footer.names, footer.first_image, footer.images))
    index.images = footer.first_image + footer.images


def _add_blocks(found: Found, index: Index, limit: int) -> bool:
    """Adds the blocks of images from the index's last to the limit; whether there were any.

    They may stand anywhere; of two that hold an image, the first in the file is taken.
    """
    taken: list[BlockPlace] = []
    for start, record, _ in found.blocks:
        end = start.first + start.images
        free = all(end <= other.first or start.first >= other.first + other.images for other in taken)
        if index.images <= start.first and end <= limit and free:
            taken.append(BlockPlace(record.start, record.end - record.start, start.first, start.images))
    for place in sorted(taken, key=lambda place: place.first):
        index.blocks.append(place)
        index.images = place.first + place.images
    return bool(taken)


def _number_models_of_blocks(found: Found, index: Index) -> None:
    """Blocks tell their model's number and, by their check, which one it is."""
    for start, _, fingerprint in found.blocks:
        index.models.setdefault(start.model, ModelPlace(fingerprint, (0, 0), (0, 0)))


def _add_others(found: Found, index: Index, region: range, first: int) -> None:
    """The models and metadata that were found in a region. A model that no block names is numbered by its place there.

    first: the number of the first of these.
    """
    places = []
    for place, (model, record) in enumerate(found.models):
        if record.start in region:
            embedded = found.embedded.get(place)
            span = (0, 0) if embedded is None else (embedded.start, embedded.end - embedded.start)
            places.append(ModelPlace(model.fingerprint, (record.start, record.end - record.start), span))
    told = {place.fingerprint for place in index.models.values()}
    for number, place in enumerate(places, first):
        if place.fingerprint not in told:
            index.models.setdefault(number, place)
    for number, known in index.models.items():
        same = [place for place in places if place.fingerprint == known.fingerprint]
        if known.record == (0, 0) and same:
            index.models[number] = same[0]
    for record in found.metadata:
        if record.start in region:
            index.metadata = (record.start, record.end - record.start)
