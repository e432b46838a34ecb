"""Directory: what is where in an archive, read from its footers, or found by scanning where one is damaged.

trailer at the end ──> footer ──> the segment before ──> footer ──> ... ──> header
                         └ damaged: scan the file
no trailer at the end: the last one that is whole; what follows it is a torn tail, ignored, or a segment that has lost
its footer: scanned (tail.py)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from vaecodec.archive.source import Source
from vaecodec.archive.tail import End, find_end
from vaecodec.bitstream.archive.index import Footer, ModelEntry, number_bytes_for, unpack_footer
from vaecodec.bitstream.archive.limits import (
    HEADER_BYTES,
    KIND_BLOCK,
    KIND_EMBEDDED,
    KIND_FOOTER,
    KIND_METADATA,
    KIND_MODEL,
    MAX_FOOTER_BYTES,
    TRAILER_BYTES,
    most_images,
)
from vaecodec.bitstream.archive.record import check_header, unpack_trailer
from vaecodec.bitstream.archive.scan import Found, scan
from vaecodec.errors import BadChecksum, BadField, FormatError, Truncated

Int64 = npt.NDArray[np.int64]
Span = tuple[int, int]  # offset, bytes
FIRST_READ_BYTES = 1 << 14  # most archives' trailer and footer in one read


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """A model of the archive: its fingerprint, and where its records stand."""

    fingerprint: bytes
    record: Span | None
    embedded: Span | None


@dataclass(frozen=True, slots=True, eq=False)
class NamesTable:
    """A segment's table from names to numbers."""

    place: Span
    first_image: int
    images: int
    named: int
    number_bytes: int
    page_hashes: npt.NDArray[np.uint32]


def _only_file() -> Int64:
    return np.zeros(1, np.int64)


@dataclass(slots=True, eq=False)
class Directory:
    """Blocks in the order of their images (offsets, lengths, firsts, counts: int64), and everything else's place.

    images: how many there are, lost ones included. end: where the last segment ends, and an append goes on. indexed:
    whether every segment's footer is whole; then `tables` find every name. problems: what is wrong, one line each.
    file_starts, file_firsts: where each file begins, and the number of its first image; one file, save of shards.
    """

    offsets: Int64
    lengths: Int64
    firsts: Int64
    counts: Int64
    images: int
    end: int
    models: dict[int, ModelPlace] = field(default_factory=dict)
    tables: list[NamesTable] = field(default_factory=list)
    metadata: Span | None = None
    segments: int = 0
    indexed: bool = True
    problems: list[str] = field(default_factory=list)
    file_starts: Int64 = field(default_factory=_only_file)
    file_firsts: Int64 = field(default_factory=_only_file)

    def file_of(self, k: int) -> int:
        """The number of the file that holds block number k."""
        return int(np.searchsorted(self.file_starts, self.offsets[k], side="right")) - 1

    def numbers_in_file(self, k: int) -> tuple[int, int]:
        """What block number k says itself: its first image, counted within its file, and how many it has."""
        return int(self.firsts[k] - self.file_firsts[self.file_of(k)]), int(self.counts[k])

    def block_of(self, number: int) -> int:
        """The block that holds an image, 0 <= number < images. Raises BadChecksum where it is lost."""
        k = int(np.searchsorted(self.firsts, number, side="right")) - 1
        if k < 0 or number >= self.firsts[k] + self.counts[k]:
            raise BadChecksum(f"image {number}: its block is damaged, and so is the index")
        return k

    def fingerprint_of(self, model: int) -> bytes:
        """Of a model by its number. Raises KeyError."""
        return self.models[model].fingerprint


def read_directory(source: Source, candidates: Callable[[], Iterable[bytes]] = tuple) -> Directory:
    """The directory of an archive. Raises FormatError's children.

    candidates: gives fingerprints of models that blocks may have been made with, for a scan that finds no record of
    their model.
    """
    end = find_end(source)
    problems = list(end.problems)
    footers: list[Footer] = []
    position = end.end
    footer_at = end.footer
    scanned_to = HEADER_BYTES
    while position > HEADER_BYTES:
        try:
            footer = read_footer(source, position, footer_at)
            _check_chain(footer, footers)
            _check_numbers(footer)
        except FormatError as error:
            problems.append(f"index before offset {position} is damaged, rebuilt by scanning: {error}")
            scanned_to = position
            break
        footers.append(footer)
        position, footer_at = footer.start, None
    footers.reverse()
    found: list[Found] = []
    if scanned_to > HEADER_BYTES or end.tail_was_finished:
        found = _scanned(source, source.size if end.tail_was_finished else end.end, footers, candidates())
    directory = _assemble(found, footers, end.end, most_images(source.size))
    directory.problems = [*problems, *_of_tail(end, directory)]
    directory.indexed &= scanned_to == HEADER_BYTES
    _check_start(source, directory)
    return directory


def _of_tail(end: End, directory: Directory) -> list[str]:
    """What is wrong behind the last footer. Blocks that were taken from there leave the directory without an index."""
    if not directory.indexed:
        return [f"index after offset {end.end} is missing, rebuilt by scanning: its footer is damaged"]
    return [f"torn tail of {end.tail_bytes} bytes is ignored: an append was not finished"] if end.tail_bytes else []


def _check_start(source: Source, directory: Directory) -> None:
    try:
        check_header(source.read(0, min(HEADER_BYTES, source.size)))
    except FormatError as error:
        directory.problems.append(f"header is damaged: {error}")
    if not directory.segments and not directory.images:
        raise Truncated(f"archive: {source.size} bytes hold no footer and no block")


def read_footer(source: Source, end: int, known: Span | None = None) -> Footer:
    """The footer of the segment that ends here. Raises FormatError's children."""
    tail = b""
    if known is None:
        start = max(HEADER_BYTES, end - FIRST_READ_BYTES)
        tail = source.read(start, end - start)
        footer_bytes = unpack_trailer(tail[-TRAILER_BYTES:])
        if footer_bytes > min(end - TRAILER_BYTES - HEADER_BYTES, MAX_FOOTER_BYTES):
            raise BadField(f"trailer: a footer of {footer_bytes} bytes in {end}")
        known = (end - TRAILER_BYTES - footer_bytes, footer_bytes)
    offset, footer_bytes = known
    before = len(tail) - TRAILER_BYTES - footer_bytes
    inside = tail and before >= 0
    footer = unpack_footer(tail[before : before + footer_bytes] if inside else source.read(offset, footer_bytes))
    if footer.start < HEADER_BYTES or footer.offset != offset:
        raise BadField(f"footer at offset {offset}: its segment's records end at {footer.offset}")
    return footer


def _check_chain(footer: Footer, later: list[Footer]) -> None:
    if footer.start == HEADER_BYTES and (footer.first_image or footer.first_model):
        raise BadField(f"footer: the first segment starts with image {footer.first_image}, not 0")
    if not later:
        return
    images, models = footer.first_image + int(footer.counts.sum()), footer.first_model + len(footer.models)
    if (later[-1].first_image, later[-1].first_model) != (images, models):
        raise BadField(f"footer: {images} images and {models} models, but the next segment counts otherwise")


def _check_numbers(footer: Footer) -> None:
    if footer.first_image > most_images(footer.start):
        raise BadField(f"footer: {footer.first_image} images before it, in {footer.start} bytes")


def _scanned(source: Source, end: int, footers: list[Footer], candidates: Iterable[bytes]) -> list[Found]:
    """Every whole record before the end, from the file's first byte on: it may have lost some of them, and blocks may
    stand in another segment than their own.

    Models' records and footers that the scan finds tell fingerprints: where they tell new ones, it is made again with
    these.
    """
    known = {*candidates, *(model.fingerprint for footer in footers for model in footer.models)}
    found = list(scan(source.read, 0, end, known))
    told = {fingerprint for record in found for fingerprint in _fingerprints_told(source, record)}
    return found if told <= known else list(scan(source.read, 0, end, known | told))


def _fingerprints_told(source: Source, record: Found) -> list[bytes]:
    """By a model's record or a footer that a scan found."""
    if record.kind == KIND_MODEL:
        return [record.fingerprint]
    if record.kind != KIND_FOOTER:
        return []
    try:
        footer = unpack_footer(source.read(record.offset, record.record_bytes))
    except FormatError:
        return []
    return [model.fingerprint for model in footer.models]


def _assemble(found: list[Found], footers: list[Footer], end: int, most: int) -> Directory:
    """One directory of footers, which are believed, and of what a scan found of the segments before and after theirs.

    most: images that the file has room for.
    """
    said = footers[-1].first_image + int(footers[-1].counts.sum()) if footers else 0
    kept = _blocks_taken(found, 0, footers[0].first_image if footers else most)
    added = _blocks_taken(found, said, most) if footers else []
    parts = [_columns(kept)]
    for footer in footers:
        offsets = footer.blocks_start + np.cumsum(footer.lengths) - footer.lengths
        firsts = footer.first_image + np.cumsum(footer.counts) - footer.counts
        parts.append(np.stack([offsets, footer.lengths, firsts, footer.counts], axis=1))
    table = np.concatenate([*parts, _columns(added)])
    images = max([said, *(block.first + block.count for block in (*kept[-1:], *added[-1:]))])
    offsets, lengths, firsts, counts = (np.ascontiguousarray(column, np.int64) for column in table.T)
    directory = Directory(offsets, lengths, firsts, counts, images, end, indexed=not added)
    _number_blocks_models(directory, found)
    _place_found(directory, [record for record in found if not footers or record.offset < footers[0].start], 0)
    for footer in footers:
        _place_footer(directory, footer)
    if footers:
        first_model = footers[-1].first_model + len(footers[-1].models)
        _place_found(directory, [record for record in found if record.offset >= end], first_model)
    return directory


def _columns(blocks: list[Found]) -> Int64:
    return np.array([[b.offset, b.record_bytes, b.first, b.count] for b in blocks], np.int64).reshape(-1, 4)


def _blocks_taken(found: list[Found], low: int, high: int) -> list[Found]:
    """Blocks of images low to high - 1, in the order of their numbers, wherever they stand.

    Of blocks that hold the same image, the first in the file is taken.
    """
    kept: list[Found] = []
    for block in (record for record in found if record.kind & KIND_BLOCK):
        place = bisect_right(kept, block.first, key=attrgetter("first"))
        begins = kept[place - 1].first + kept[place - 1].count if place else low
        ends = kept[place].first if place < len(kept) else high
        if begins <= block.first and block.first + block.count <= ends:
            kept.insert(place, block)
    return kept


def _number_blocks_models(directory: Directory, found: list[Found]) -> None:
    """Blocks tell their model's number, and their check which one it is."""
    for record in found:
        if record.kind & KIND_BLOCK:
            directory.models.setdefault(record.model, ModelPlace(record.fingerprint, None, None))


def _place_found(directory: Directory, found: list[Found], first_model: int) -> None:
    """What a scan found besides blocks. first_model: the number of the first model's record, if no block tells it."""
    places: list[ModelPlace] = []
    for record in found:
        span = (record.offset, record.record_bytes)
        if record.kind == KIND_MODEL:
            places.append(ModelPlace(record.fingerprint, span, None))
        elif record.kind == KIND_EMBEDDED and places and record.offset == sum(places[-1].record or ()):
            places[-1] = ModelPlace(places[-1].fingerprint, places[-1].record, span)
        elif record.kind == KIND_METADATA:
            directory.metadata = span
        elif record.kind == KIND_FOOTER:
            directory.segments += 1
    known = {place.fingerprint for place in directory.models.values()}
    for number, place in enumerate(places, first_model):
        if place.fingerprint not in known:
            directory.models.setdefault(number, place)
    first_places = {place.fingerprint: place for place in reversed(places)}
    for number, place in directory.models.items():
        if place.record is None:
            directory.models[number] = first_places.get(place.fingerprint, place)


def _place_footer(directory: Directory, footer: Footer) -> None:
    offset = footer.start
    for k, model in enumerate(footer.models):
        directory.models[footer.first_model + k] = _model_place(model, offset)
        offset += model.record_bytes + model.embedded_bytes
    offset = footer.offset - footer.names_bytes - footer.metadata_bytes
    if footer.metadata_bytes:
        directory.metadata = (offset, footer.metadata_bytes)
    if footer.names_bytes:
        place = (offset + footer.metadata_bytes, footer.names_bytes)
        images = int(footer.counts.sum())
        width = number_bytes_for(images)
        table = NamesTable(place, footer.first_image, images, footer.named, width, footer.page_hashes)
        directory.tables.append(table)
    directory.segments += 1


def _model_place(model: ModelEntry, offset: int) -> ModelPlace:
    embedded = (offset + model.record_bytes, model.embedded_bytes) if model.embedded_bytes else None
    return ModelPlace(model.fingerprint, (offset, model.record_bytes), embedded)
