"""What an archive is, and what of it is lost."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import eq
from typing import overload

from vaecodec.archive.blocks import Blocks, decode_block
from vaecodec.archive.directory import Directory, Span
from vaecodec.archive.models import ArchiveModels
from vaecodec.archive.names import Names
from vaecodec.archive.source import Source, read_within
from vaecodec.bitstream.archive.columns import unpack_names
from vaecodec.bitstream.archive.limits import MAX_METADATA_BYTES
from vaecodec.bitstream.archive.metadata import unpack_metadata
from vaecodec.bitstream.archive.model_record import (
    MAX_MODEL_RECORD_BYTES,
    unpack_model_record,
)
from vaecodec.bitstream.archive.scan import check_record
from vaecodec.errors import FormatError


@dataclass(frozen=True, slots=True)
class LostImage:
    """An image whose pixels cannot be read; its name where that is still known."""

    number: int
    name: str | None


@dataclass(frozen=True, slots=True)
class LostRun:
    """Images that are lost together. names: of each, None where they are not known."""

    first: int
    count: int
    names: tuple[str | None, ...] | None = None


class LostImages(Sequence[LostImage]):
    """Every image that is lost, in order; kept as runs, for damaged numbers may make it billions."""

    def __init__(self, runs: Iterable[LostRun] = ()) -> None:
        self._runs = tuple(run for run in runs if run.count)
        self._ends = list(accumulate(run.count for run in self._runs))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, place: int) -> LostImage: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[LostImage, ...]: ...
    def __getitem__(self, place: int | slice) -> LostImage | tuple[LostImage, ...]:
        if isinstance(place, slice):
            return tuple(self[k] for k in range(*place.indices(len(self))))
        place = range(len(self))[place]
        k = bisect_right(self._ends, place)
        return self._image(self._runs[k], place - (self._ends[k] - self._runs[k].count))

    def __iter__(self) -> Iterator[LostImage]:
        for run in self._runs:
            for place in range(run.count):
                yield self._image(run, place)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LostImages):
            return self._runs == other._runs
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<LostImages: {len(self)}>"

    @staticmethod
    def _image(run: LostRun, place: int) -> LostImage:
        return LostImage(run.first + place, None if run.names is None else run.names[place])


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of reading everything. problems: damage that may cost no image, one line each."""

    images: int
    lost: LostImages
    problems: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged at all."""
        return not self.lost and not self.problems


@dataclass(frozen=True, slots=True)
class ArchiveInfo:
    """What the index says. models: (name or None, fingerprint in hex, whether embedded) of each."""

    images: int
    blocks: int
    segments: int
    size_bytes: int
    block_bytes: int
    named: bool
    models: tuple[tuple[str | None, str, bool], ...]
    problems: tuple[str, ...]


def describe_archive(source: Source, directory: Directory, models: ArchiveModels) -> ArchiveInfo:
    """See Archive.info."""
    return ArchiveInfo(
        images=directory.images,
        blocks=len(directory.offsets),
        segments=directory.segments,
        size_bytes=source.size,
        block_bytes=int(directory.lengths.sum()),
        named=bool(directory.tables),
        models=tuple(
            (models.name(k), place.fingerprint.hex(), place.embedded is not None)
            for k, place in sorted(directory.models.items())
        ),
        problems=tuple(directory.problems),
    )


def verify_archive(
    source: Source, directory: Directory, blocks: Blocks, models: ArchiveModels, names: Names
) -> Verification:
    """See Archive.verify."""
    lost: list[LostRun] = []
    problems = list(directory.problems)
    expected = 0
    for k, (first, count) in enumerate(zip(directory.firsts.tolist(), directory.counts.tolist(), strict=True)):
        lost.append(LostRun(expected, first - expected))
        expected = first + count
        try:
            block = blocks.read(k)
            decoded = decode_block(block, models.codec(block.model))
            for stream in decoded.streams:
                decoded.codec.decompress(stream)
        except FormatError as error:
            lost.append(LostRun(first, count, blocks.names_of_lost(k)))
            problems.append(f"images {first} to {first + count - 1} are lost: {error}")
            continue
        if blocks.is_moved(k):
            problems.append(f"images {first} to {first + count - 1} stand elsewhere than the index says, and are whole")
        try:
            if block.names is not None:
                unpack_names(block.names, block.count)
        except FormatError as error:
            problems.append(f"names of images {first} to {first + count - 1} are lost, the images are not: {error}")
    lost.append(LostRun(expected, directory.images - expected))
    problems += [*_other_damage(source, directory, models), *_damaged_tables(source, directory, names)]
    return Verification(directory.images, LostImages(lost), tuple(problems))


def _other_damage(source: Source, directory: Directory, models: ArchiveModels) -> list[str]:
    """Damage to models and metadata."""
    problems = []
    if directory.metadata is not None:
        try:
            unpack_metadata(read_within(source, directory.metadata, MAX_METADATA_BYTES, "metadata"))
        except FormatError as error:
            problems.append(f"metadata is lost: {error}")
    for number, place in sorted(directory.models.items()):
        try:
            if place.record is not None and _fingerprint_in(source, place.record) != place.fingerprint:
                problems.append(f"model record {number} has another fingerprint than the index")
        except FormatError as error:
            problems.append(f"model record {number} is damaged, no image is lost by that: {error}")
        try:
            embedded = models.embedded(number)
            if embedded is not None and embedded.repaired:
                problems.append(f"embedded model {number} is damaged; it was repaired while reading")
        except FormatError as error:
            problems.append(f"embedded model {number} is lost: {error}")
    return problems


def _fingerprint_in(source: Source, place: Span) -> bytes:
    return unpack_model_record(read_within(source, place, MAX_MODEL_RECORD_BYTES, "model record")).fingerprint


def _damaged_tables(source: Source, directory: Directory, names: Names) -> list[str]:
    problems = []
    for table in directory.tables:
        try:
            check_record(source.read, *table.place)
            for page in range(len(table.page_hashes)):
                names.page(table, page)
        except FormatError as error:
            problems.append(f"names' table at offset {table.place[0]} is damaged, names are still found: {error}")
    return problems
