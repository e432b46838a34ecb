"""An archive's index: where its segments, blocks, models and names lie, as its footers tell or as a scan finds (13.6).

trailer at the end --> last footer --start--> trailer before it --> … --> header
where a footer is damaged, everything before its trailer is scanned
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from tests.independent.footers import BlockPlace, Footer, ModelPlace, NamesPlace, most_images, read_footer
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
from tests.independent.scan import Found, footers_from, scan


@dataclass(frozen=True, slots=True)
class NamesSpan:
    """A segment's names' table, and the numbers of the images it speaks of."""

    place: NamesPlace
    first: int
    images: int


@dataclass(slots=True)
class Index:
    """What is known without decoding. Models by number; metadata: (start, size), None where there is none.

    contradicts: what was scanned says other numbers than whole footers, of which the page says nothing.
    """

    images: int = 0
    models: dict[int, ModelPlace] = field(default_factory=dict)
    blocks: list[BlockPlace] = field(default_factory=list)
    metadata: tuple[int, int] | None = None
    names: list[NamesSpan] = field(default_factory=list)
    scanned: bool = False
    contradicts: bool = False
    problems: list[str] = field(default_factory=list)


def read_index(data: bytes, at_hand: Collection[bytes] = ()) -> Index:
    """The index of an archive; at_hand: fingerprints of the models at hand. Refuses what is none."""
    index = Index()
    end = _end(data, index)
    footers, scan_end = _walk(data, end)
    if scan_end is not None:
        index.problems.append(f"what lies before {scan_end} has no whole footer")
        has_footers = _add_scanned(data, scan_end, footers, index, at_hand)
        require(bool(index.blocks or footers or has_footers), "Truncated", "neither a footer nor a block")
    for footer in footers:
        _add_footer(footer, index)
    return index


def _end(data: bytes, index: Index) -> int:
    """Where the archive ends: after the last whole trailer, or after a whole footer that follows it."""
    if trailer_at(data, len(data)) is not None:
        if not holds(require_header, data):
            index.problems.append("the header is damaged")
        return len(data)
    require_header(data)
    position = data.rfind(TRAILER_MAGIC)
    while position >= 0 and trailer_at(data, position + 4) is None:
        position = data.rfind(TRAILER_MAGIC, 0, position + len(TRAILER_MAGIC) - 1)
    ends = [position + 4] if position >= 0 else []
    ends += [record.end for record in footers_from(data, ends[0] if ends else HEADER_BYTES)]
    end = ends[-1] if ends else len(data)
    index.problems.append(f"no trailer at the end; {len(data) - end} bytes after the archive's end are ignored")
    return end


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
    if footer.blocks:
        index.images = footer.first_image + footer.images


def _add_scanned(data: bytes, end: int, footers: list[Footer], index: Index, at_hand: Collection[bytes]) -> bool:
    """Adds what a scan finds before whole footers; whether it found footers too.

    The footers are believed: blocks whose numbers are their segments', or later, are not taken. Nor is a block
    whose numbers do not follow those of the block taken before it.
    """
    later = [model.fingerprint for footer in footers for model in footer.models]
    found = scan(data, end, {*later, *at_hand})
    index.scanned = True
    _add_models(found, index)
    following = next((footer.first_image for footer in footers if footer.blocks), None)
    for start, record, _ in found.blocks:
        if following is not None and start.first + start.images > following:
            index.contradicts = True
            continue
        if start.first < index.images or start.first + start.images > most_images(len(data)):
            continue
        index.blocks.append(BlockPlace(record.start, record.end - record.start, start.first, start.images))
        index.images = start.first + start.images
    if found.metadata is not None:
        index.metadata = (found.metadata.start, found.metadata.end - found.metadata.start)
    return bool(found.footers)


def _add_models(found: Found, index: Index) -> None:
    """Blocks tell their model's number and, by their check, which one it is; others are numbered in the order found."""
    places = []
    for place, (model, record) in enumerate(found.models):
        embedded = found.embedded.get(place)
        span = (0, 0) if embedded is None else (embedded.start, embedded.end - embedded.start)
        places.append(ModelPlace(model.fingerprint, (record.start, record.end - record.start), span))
    for start, _, fingerprint in found.blocks:
        place = next((place for place in places if place.fingerprint == fingerprint), None)
        index.models.setdefault(start.model, place or ModelPlace(fingerprint, (0, 0), (0, 0)))
    told = {place.fingerprint for place in index.models.values()}
    for number, place in enumerate(places):
        if place.fingerprint not in told:
            index.models.setdefault(number, place)
