"""A folder of shards: its manifest, which says what the shards are, and its index, which says where each image is.

manifest.json   the shards in order: file, images, bytes, SHA-256            docs/format.md, section 21
index.vaei      names' table, footer: every block of every shard, every name
model.vaem      the model
plan.json       what the shards were made by (vaecodec/sharding/plan.py); it is there before they are

shards' directories ──combined──> Directory of all of them, as if the files stood one after the other
                                      └──pack_index──> index.vaei ──directory_of──> the same Directory
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.archive.directory import Directory, ModelPlace, NamesTable, Span, read_directory
from vaecodec.archive.source import Source
from vaecodec.bitstream.archive.index import number_bytes_for, unpack_footer
from vaecodec.bitstream.archive.limits import HEADER_BYTES, MAX_FOOTER_BYTES
from vaecodec.bitstream.canonical_json import parse, spell
from vaecodec.errors import BadField, LimitExceeded, NotCanonical, UnsupportedVersion

Int64 = npt.NDArray[np.int64]
MANIFEST_NAME, INDEX_NAME, MODEL_NAME, PLAN_NAME = "manifest.json", "index.vaei", "model.vaem", "plan.json"
FORMAT, VERSION = "vaecodec shards", 1
MAX_MANIFEST_BYTES = 1 << 28  # a million shards
MAX_SHARDED_IMAGES = (1 << 32) - 1  # as of a segment: the names' table numbers images with 32 bits
MAX_SHARDS_BYTES = 1 << 60  # places are counted through all shards, in 64 bits
FINGERPRINT_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Shard:
    """file: its name in the folder. blocks_at: offset of its first block. sha256: of the file, in hex."""

    file: str
    images: int
    size_bytes: int
    blocks_at: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """plan: the id of the plan that the shards were made by. fingerprint: of their one model, in hex.

    model_record, embedded, metadata: (offset, bytes) in each shard of these records, which are alike in all; None
    without. label_columns: of every image, 0 where there are no labels, None where they differ. index_bytes: of the
    index; footer_bytes: of the record at its end.
    """

    plan: str
    fingerprint: str
    model_record: Span
    embedded: Span | None
    metadata: Span | None
    label_columns: int | None
    index_bytes: int
    footer_bytes: int
    shards: tuple[Shard, ...]

    @property
    def images(self) -> int:
        """In all shards."""
        return sum(shard.images for shard in self.shards)

    def to_bytes(self) -> bytes:
        """The manifest's JSON."""
        value = {**asdict(self), "format": FORMAT, "version": VERSION}
        value["shards"] = [list(asdict(shard).values()) for shard in self.shards]
        return spell(value)

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """The inverse of to_bytes(). Raises FormatError's children."""
        if len(data) > MAX_MANIFEST_BYTES:
            raise LimitExceeded(f"manifest: {len(data)} bytes, at most {MAX_MANIFEST_BYTES} allowed")
        value = parse(data, "manifest")
        if not isinstance(value, dict) or value.pop("format", None) != FORMAT:
            raise BadField("manifest: not a manifest of shards")
        if (version := value.pop("version", None)) != VERSION:
            raise UnsupportedVersion(f"manifest: version {version}, this release reads {VERSION}")
        try:
            manifest = cls(
                plan=value.pop("plan"),
                fingerprint=value.pop("fingerprint"),
                model_record=_span(value.pop("model_record")),
                embedded=_span_or_none(value.pop("embedded")),
                metadata=_span_or_none(value.pop("metadata")),
                label_columns=value.pop("label_columns"),
                index_bytes=value.pop("index_bytes"),
                footer_bytes=value.pop("footer_bytes"),
                shards=tuple(Shard(*row) for row in value.pop("shards")),
            )
        except (KeyError, TypeError) as error:
            raise BadField("manifest: not its fields") from error
        if value:
            raise BadField(f"manifest: fields that it does not have: {', '.join(sorted(value))}")
        manifest._check()
        return manifest

    def _check(self) -> None:
        numbers = [n for shard in self.shards for n in (shard.images, shard.size_bytes, shard.blocks_at)]
        columns = 0 if self.label_columns is None else self.label_columns
        for number in (self.index_bytes, self.footer_bytes, columns, *numbers):
            if type(number) is not int or number < 0:
                raise BadField(f"manifest: {number!r} where a count is expected")
        texts = [text for shard in self.shards for text in (shard.file, shard.sha256)]
        if not all(isinstance(text, str) for text in (self.plan, self.fingerprint, *texts)):
            raise BadField("manifest: a name or hash is no text")
        if any("/" in shard.file or "\\" in shard.file or shard.file in ("", ".", "..") for shard in self.shards):
            raise BadField("manifest: a shard's file is not in the folder")
        try:
            if len(bytes.fromhex(self.fingerprint)) * 2 != FINGERPRINT_DIGITS:
                raise ValueError(self.fingerprint)
        except ValueError as error:
            raise BadField("manifest: the model's fingerprint is not 64 hexadecimal digits") from error
        if not self.shards:
            raise BadField("manifest: no shard")
        if self.footer_bytes > min(self.index_bytes, MAX_FOOTER_BYTES):
            raise BadField(f"manifest: a footer of {self.footer_bytes} bytes in {self.index_bytes}")
        if sum(shard.size_bytes for shard in self.shards) + self.index_bytes > MAX_SHARDS_BYTES:
            raise LimitExceeded(f"manifest: more than {MAX_SHARDS_BYTES} bytes in all shards")
        if self.images > MAX_SHARDED_IMAGES:
            raise LimitExceeded(f"manifest: {self.images} images, at most {MAX_SHARDED_IMAGES} allowed")


def _span(value: Any) -> Span:
    """Raises TypeError."""
    offset, size = value if isinstance(value, list) and len(value) == 2 else (None, None)
    if type(offset) is not int or type(size) is not int or offset < 0 or size < 0:
        raise TypeError(f"not (offset, bytes): {value!r}")
    return offset, size


def _span_or_none(value: Any) -> Span | None:
    return None if value is None else _span(value)


def starts_of(sizes: Iterable[int]) -> Int64:
    """Where each file begins if they stand one after the other, and where the last ends."""
    return np.concatenate([[0], np.cumsum([*sizes], dtype=np.int64)]).astype(np.int64)


def directory_of(manifest: Manifest, footer: bytes) -> Directory:
    """The directory of all shards, of the footer at the index' end. Raises FormatError's children.

    The index stands behind the last shard.
    """
    index = unpack_footer(footer)
    shards = manifest.shards
    starts = starts_of(shard.size_bytes for shard in shards)
    file_firsts = starts_of(shard.images for shard in shards)
    firsts = np.cumsum(index.counts) - index.counts
    # A shard without images has no block: the blocks of the next one begin where its own would.
    first_blocks = np.searchsorted(firsts, file_firsts)
    bounds = firsts[first_blocks[first_blocks < len(firsts)]]
    if int(index.counts.sum()) != manifest.images or not np.isin(bounds, file_firsts).all():
        raise BadField("index: its blocks are not those of the manifest's shards")
    per_shard = np.diff(np.minimum(first_blocks, len(firsts)))
    ends = np.cumsum(index.lengths)
    before = np.concatenate([[0], ends])[first_blocks[:-1]]
    at = starts[:-1] + [shard.blocks_at for shard in shards] - before
    offsets = np.repeat(at, per_shard) + ends - index.lengths
    directory = _directory(manifest, starts, offsets, index.lengths, firsts, index.counts)
    if index.named:
        place = (int(starts[-1]), index.names_bytes)
        width = number_bytes_for(manifest.images)
        table = NamesTable(place, 0, manifest.images, index.named, width, index.page_hashes)
        directory.tables.append(table)
    return directory


def combined(manifest: Manifest, directories: Sequence[Directory]) -> Directory:
    """The directory of all shards, of each one's own; the names' tables stay those of the shards.

    Raises NotCanonical where a shard is not what the manifest says.
    """
    starts = starts_of(shard.size_bytes for shard in manifest.shards)
    firsts = starts_of(shard.images for shard in manifest.shards)
    for shard, own in zip(manifest.shards, directories, strict=True):
        if own.images != shard.images or not own.indexed:
            raise NotCanonical(f"{shard.file}: {own.images} images, the manifest says {shard.images}")
    directory = _directory(
        manifest,
        starts,
        np.concatenate([own.offsets + start for own, start in zip(directories, starts, strict=False)]),
        np.concatenate([own.lengths for own in directories]),
        np.concatenate([own.firsts + first for own, first in zip(directories, firsts, strict=False)]),
        np.concatenate([own.counts for own in directories]),
    )
    for k, own in enumerate(directories):
        for table in own.tables:
            place = (table.place[0] + int(starts[k]), table.place[1])
            first = table.first_image + int(firsts[k])
            directory.tables.append(
                NamesTable(place, first, table.images, table.named, table.number_bytes, table.page_hashes)
            )
    return directory


def _directory(
    manifest: Manifest, starts: Int64, offsets: Int64, lengths: Int64, firsts: Int64, counts: Int64
) -> Directory:
    model = ModelPlace(bytes.fromhex(manifest.fingerprint), manifest.model_record, manifest.embedded)
    return Directory(
        offsets,
        lengths,
        firsts,
        counts,
        images=manifest.images,
        end=int(starts[-1]),
        models={0: model},
        metadata=manifest.metadata,
        segments=len(manifest.shards),
        file_starts=starts[:-1],
        file_firsts=starts_of(shard.images for shard in manifest.shards)[:-1],
    )


def shard_directory(source: Source, file: str) -> Directory:
    """A shard's own directory, as its writer left it. Raises FormatError's children, NotCanonical if it was changed."""
    directory = read_directory(source)
    if directory.problems or directory.segments != 1 or len(directory.models) != 1:
        what = directory.problems[0] if directory.problems else "it was appended to"
        raise NotCanonical(f"{file}: not as it was written: {what}")
    return directory


def blocks_at(directory: Directory) -> int:
    """Offset of a shard's first block."""
    (model,) = directory.models.values()
    return max([HEADER_BYTES, *(sum(place) for place in (model.record, model.embedded) if place is not None)])
