"""The footer, which makes the records before it an archive, and the table that finds an image by its name.

    segment: [model [embedded model]]* block* [metadata] [names' table] footer trailer

A segment is what one creation or append writes; its footer counts every record of it, so that offsets need not be
stored. Numbers that are nearly always the same are runs; a block costs the index its length, two bytes.
"""

import hashlib
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.archive.limits import (
    KIND_FOOTER,
    KIND_NAMES,
    MAX_ARCHIVE_MODELS,
    MAX_BLOCK_BYTES,
    MAX_BLOCK_IMAGES,
    MAX_FOOTER_BYTES,
    MAX_SEGMENT_IMAGES,
    NAMES_PER_PAGE,
)
from vaecodec.bitstream.archive.record import (
    RECORD_CHECK_BYTES,
    compare_check,
    pack_frame,
    pack_record,
    unpack_record,
)
from vaecodec.bitstream.limits import MAX_UVARINT_BYTES
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.bitstream.stream import FINGERPRINT_BYTES
from vaecodec.errors import BadField, LimitExceeded, NotCanonical

Int64 = npt.NDArray[np.int64]
PAGE_CHECK_BYTES = 4
NAME_HASH_BYTES = 4


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that the segment introduces, and the bytes of its two records; embedded_bytes may be 0."""

    fingerprint: bytes
    record_bytes: int
    embedded_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Footer:
    """The index of one segment.

    start: offset of the segment in the file. first_image, first_model: numbers of its first ones. counts, lengths int64
    (blocks,): images and bytes of each block. metadata_bytes, names_bytes: of these records, 0 where there is none.
    page_hashes uint32 (pages,): the first name hash of each page of the names' table; named: names in it.
    """

    start: int
    first_image: int
    first_model: int
    models: tuple[ModelEntry, ...]
    counts: Int64
    lengths: Int64
    metadata_bytes: int
    names_bytes: int
    named: int
    page_hashes: npt.NDArray[np.uint32]

    @property
    def blocks_start(self) -> int:
        """Offset of the first block."""
        return self.start + sum(m.record_bytes + m.embedded_bytes for m in self.models)

    @property
    def offset(self) -> int:
        """Where the footer itself must stand."""
        return self.blocks_start + int(self.lengths.sum()) + self.metadata_bytes + self.names_bytes


def pack_footer(footer: Footer) -> bytes:
    """The record of a footer."""
    writer = Writer()
    for number in (footer.start, footer.first_image, footer.first_model, len(footer.models)):
        writer.uvarint(number)
    for model in footer.models:
        writer.raw(model.fingerprint)
        writer.uvarint(model.record_bytes)
        writer.uvarint(model.embedded_bytes)
    writer.uvarint(footer.metadata_bytes)
    writer.uvarint(footer.names_bytes)
    if footer.names_bytes:
        writer.uvarint(footer.named)
        writer.raw(footer.page_hashes.astype("<u4").tobytes())
    writer.uvarint(len(footer.lengths))
    starts = np.flatnonzero(np.diff(footer.counts, prepend=0))  # counts are >= 1: the first block always starts a run
    for start, end in zip(starts.tolist(), np.append(starts, len(footer.counts))[1:].tolist(), strict=True):
        writer.u8(int(footer.counts[start]) - 1)
        writer.uvarint(end - start)
    for length in footer.lengths.tolist():
        writer.uvarint(length)
    return pack_record(KIND_FOOTER, writer.getvalue())


def unpack_footer(data: Buffer) -> Footer:
    """The inverse of pack_footer. Raises FormatError's children."""
    if len(data) > MAX_FOOTER_BYTES:
        raise LimitExceeded(f"footer: {len(data)} bytes, at most {MAX_FOOTER_BYTES} allowed")
    reader = Reader(unpack_record(data, KIND_FOOTER))
    start, first_image, first_model = (reader.uvarint(f"footer's {w}") for w in ("start", "first image", "first model"))
    models = _take_models(reader, first_model)
    metadata_bytes, names_bytes = reader.uvarint("metadata's bytes"), reader.uvarint("names' bytes")
    named, page_hashes = 0, np.empty(0, np.uint32)
    if names_bytes:
        named = reader.uvarint("named images")
        if not 1 <= named <= MAX_SEGMENT_IMAGES:
            raise LimitExceeded(f"named images: {named} is not in 1..{MAX_SEGMENT_IMAGES}")
        hashes = reader.take(-(-named // NAMES_PER_PAGE) * NAME_HASH_BYTES, "name hashes")
        page_hashes = np.frombuffer(hashes, "<u4").astype(np.uint32)
        if (page_hashes[1:] < page_hashes[:-1]).any():
            raise NotCanonical("footer: name hashes do not rise")
    counts, lengths = _take_blocks(reader)
    reader.end("footer")
    if int(counts.sum()) > MAX_SEGMENT_IMAGES or named > int(counts.sum()):
        raise LimitExceeded(f"footer: {int(counts.sum())} images and {named} names, at most {MAX_SEGMENT_IMAGES}")
    if named and names_bytes != names_record_bytes(named, int(counts.sum())):
        raise BadField(f"footer: a names' table of {names_bytes} bytes for {named} names")
    return Footer(
        start, first_image, first_model, models, counts, lengths, metadata_bytes, names_bytes, named, page_hashes
    )


def _take_models(reader: Reader, first: int) -> tuple[ModelEntry, ...]:
    count = reader.uvarint("footer's models")
    if first + count > MAX_ARCHIVE_MODELS:
        raise LimitExceeded(f"models: {first + count}, at most {MAX_ARCHIVE_MODELS} allowed")
    return tuple(
        ModelEntry(
            bytes(reader.take(FINGERPRINT_BYTES, "model fingerprint")),
            reader.uvarint("model record's bytes"),
            reader.uvarint("embedded model's bytes"),
        )
        for _ in range(count)
    )


def _take_blocks(reader: Reader) -> tuple[Int64, Int64]:
    blocks = reader.uvarint("footer's blocks")
    if blocks > reader.remaining:  # each takes at least a byte
        raise LimitExceeded(f"footer: {blocks} blocks in {reader.remaining} bytes")
    values, repeats, covered = [], [], 0
    while covered < blocks:
        values.append(reader.u8("images of a block") + 1)
        repeats.append(reader.uvarint("run of blocks"))
        covered += repeats[-1]
        if repeats[-1] == 0 or values[-1] > MAX_BLOCK_IMAGES:
            raise BadField(f"footer: a run of {repeats[-1]} blocks of {values[-1]} images")
        if len(values) > 1 and values[-1] == values[-2]:
            raise NotCanonical("footer: two runs of blocks could be one")
    if covered != blocks:
        raise BadField(f"footer: runs cover {covered} blocks, expected {blocks}")
    lengths = take_uvarints(reader, blocks)
    if blocks and (lengths.min() < 1 or lengths.max() > MAX_BLOCK_BYTES + 4):
        raise LimitExceeded(f"footer: a block's bytes are not in 1..{MAX_BLOCK_BYTES}")
    return np.repeat(np.array(values, np.int64), np.array(repeats, np.int64)), lengths


def take_uvarints(reader: Reader, count: int) -> Int64:
    """All that is left in the reader, which must be `count` uvarints. Raises FormatError's children."""
    data = np.frombuffer(reader.take(reader.remaining, "block lengths"), np.uint8)
    ends = np.flatnonzero(data < 0x80)
    if len(ends) != count or (count and ends[-1] != len(data) - 1) or (not count and len(data)):
        raise BadField(f"block lengths: expected {count} numbers, found {len(ends)} in {len(data)} bytes")
    if not count:
        return np.empty(0, np.int64)
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if sizes.max() > MAX_UVARINT_BYTES:
        raise LimitExceeded(f"block lengths: a number of {sizes.max()} bytes, at most {MAX_UVARINT_BYTES}")
    if (data[ends[sizes > 1]] == 0).any():
        raise NotCanonical("block lengths: a number ends in a zero byte")
    places = np.arange(len(data)) - np.repeat(starts, sizes)
    digits = (data & 0x7F).astype(np.int64) << (7 * places)
    return np.asarray(np.add.reduceat(digits, starts), np.int64)


def name_hash(name: bytes) -> int:
    """What the names' table is sorted by: the first four bytes of SHA-256, little-endian."""
    return int.from_bytes(hashlib.sha256(name).digest()[:NAME_HASH_BYTES], "little")


def number_bytes_for(images: int) -> int:
    """Bytes of an image's number, less the segment's first one, in the names' table of a segment."""
    return max(1, (max(images - 1, 0).bit_length() + 7) // 8)


def page_bytes(entries: int, number_bytes: int) -> int:
    """Size of a page of so many names."""
    return entries * (NAME_HASH_BYTES + number_bytes) + PAGE_CHECK_BYTES


def table_bytes(named: int, number_bytes: int) -> int:
    """Size of the names' table's body."""
    whole, rest = divmod(named, NAMES_PER_PAGE)
    return whole * page_bytes(NAMES_PER_PAGE, number_bytes) + (page_bytes(rest, number_bytes) if rest else 0)


def names_record_bytes(named: int, images: int) -> int:
    """Size of the names' table's record in a segment of so many images."""
    body_bytes = table_bytes(named, number_bytes_for(images))
    return len(pack_frame(KIND_NAMES, body_bytes)) + body_bytes + RECORD_CHECK_BYTES


def pack_page(keys: npt.NDArray[np.uint64], number_bytes: int) -> bytes:
    """A page of the names' table; keys = hash · 2^32 + number, rising."""
    rows = np.empty((len(keys), NAME_HASH_BYTES + number_bytes), np.uint8)
    swapped = np.ascontiguousarray(keys, "<u8").view(np.uint8).reshape(-1, 8)
    rows[:, :NAME_HASH_BYTES] = swapped[:, 4:]
    rows[:, NAME_HASH_BYTES:] = swapped[:, :number_bytes]
    body = rows.tobytes()
    return body + zlib.crc32(body).to_bytes(PAGE_CHECK_BYTES, "little")


def unpack_page(data: Buffer, number_bytes: int) -> npt.NDArray[np.uint64]:
    """The keys of a page. Raises BadChecksum, NotCanonical."""
    view = memoryview(data).cast("B")
    body = view[:-PAGE_CHECK_BYTES]
    compare_check(zlib.crc32(body), int.from_bytes(view[-PAGE_CHECK_BYTES:], "little"), len(body))
    rows = np.frombuffer(body, np.uint8).reshape(-1, NAME_HASH_BYTES + number_bytes)
    wide = np.zeros((len(rows), 8), np.uint8)
    wide[:, 4:] = rows[:, :NAME_HASH_BYTES]
    wide[:, :number_bytes] = rows[:, NAME_HASH_BYTES:]
    keys = wide.view("<u8").ravel().astype(np.uint64)
    if (keys[1:] <= keys[:-1]).any():
        raise NotCanonical("names' page: entries do not rise")
    return keys
