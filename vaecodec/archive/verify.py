"""What an archive is, and what of it is lost."""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.archive.blocks import Blocks, decode_block
from vaecodec.archive.directory import Directory
from vaecodec.archive.models import ArchiveModels
from vaecodec.archive.names import Names
from vaecodec.archive.source import Source
from vaecodec.bitstream.archive.block import names_of_damaged
from vaecodec.bitstream.archive.columns import unpack_names
from vaecodec.bitstream.archive.metadata import unpack_metadata
from vaecodec.bitstream.archive.model_record import unpack_embedded, unpack_model_record
from vaecodec.bitstream.archive.scan import check_record
from vaecodec.errors import FormatError, NotCanonical


@dataclass(frozen=True, slots=True)
class LostImage:
    """An image whose pixels cannot be read; its name where that is still known."""

    number: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of reading everything. problems: damage that may cost no image, one line each."""

    images: int
    lost: tuple[LostImage, ...]
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
    lost: list[LostImage] = []
    problems = list(directory.problems)
    expected = 0
    for k, (first, count) in enumerate(zip(directory.firsts.tolist(), directory.counts.tolist(), strict=True)):
        lost += [LostImage(number, None) for number in range(expected, first)]
        expected = first + count
        try:
            block = blocks.read(k)
            decode_block(block, models.codec(block.model))
        except FormatError as error:
            known = names_of_damaged(blocks.raw(k))
            named = known if known is not None and len(known) == count else (None,) * count
            lost += [LostImage(first + i, named[i]) for i in range(count)]
            problems.append(f"images {first} to {first + count - 1} are lost: {error}")
            continue
        try:
            if block.names is not None:
                unpack_names(block.names, block.count)
        except FormatError as error:
            problems.append(f"names of images {first} to {first + count - 1} are lost, the images are not: {error}")
    lost += [LostImage(number, None) for number in range(expected, directory.images)]
    problems += [*_other_damage(source, directory), *_damaged_tables(source, directory, names)]
    return Verification(directory.images, tuple(lost), tuple(problems))


def _other_damage(source: Source, directory: Directory) -> list[str]:
    """Damage to models and metadata."""
    problems = []
    if directory.metadata is not None:
        try:
            unpack_metadata(source.read(*directory.metadata))
        except FormatError as error:
            problems.append(f"metadata is lost: {error}")
    for number, place in sorted(directory.models.items()):
        try:
            if place.record is not None and (
                unpack_model_record(source.read(*place.record)).fingerprint != place.fingerprint
            ):
                problems.append(f"model record {number} has another fingerprint than the index")
        except FormatError as error:
            problems.append(f"model record {number} is damaged, no image is lost by that: {error}")
        try:
            if place.embedded is not None and unpack_embedded(source.read(*place.embedded))[1]:
                problems.append(f"embedded model {number} is damaged; it was repaired while reading")
        except FormatError as error:
            problems.append(f"embedded model {number} is lost: {error}")
    return problems


def _damaged_tables(source: Source, directory: Directory, names: Names) -> list[str]:
    problems = []
    for table in directory.tables:
        try:
            check_record(source.read, *table.place)
            for page in range(len(table.page_hashes)):
                keys = names.page(table, page)
                if int(keys[0]) >> 32 != int(table.page_hashes[page]):
                    raise NotCanonical(f"page {page} starts with another hash than the footer says")
        except FormatError as error:
            problems.append(f"names' table at offset {table.place[0]} is damaged, names are still found: {error}")
    return problems
