"""A block: up to 128 images in one coder stream, with all that is needed to read them but the model.

    frame | model | images - 1 | first image | names' bytes | codings | sizes | windows | labels | payload | names
            uvarint u8           uvarint       if named                                                    and check

The frame's kind has the flags. check = CRC-32 of the model's whole fingerprint (32 bytes) and the record without its
names and check; the names' section has a check of its own.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from vaecodec.arrays import Size
from vaecodec.bitstream.archive.codings import Codings, put_codings, take_codings
from vaecodec.bitstream.archive.columns import Labels, pack_labels, take_labels, unpack_names
from vaecodec.bitstream.archive.limits import KIND_BLOCK, MAX_ARCHIVE_MODELS, MAX_BLOCK_BYTES, MAX_BLOCK_IMAGES
from vaecodec.bitstream.archive.record import (
    MAX_FRAME_BYTES,
    RECORD_CHECK_BYTES,
    Frame,
    compare_check,
    pack_frame,
    unpack_frame,
)
from vaecodec.bitstream.limits import MAX_SIDE
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.bitstream.stream import FINGERPRINT_BYTES
from vaecodec.bitstream.window import Window, take_window
from vaecodec.errors import BadChecksum, BadField, FormatError, LimitExceeded, NotCanonical

FLAG_NAMES = 1
FLAG_LABELS = 2
FLAG_ONE_SIZE = 4  # all images have one size, and not the model's
FLAG_SIZES = 8  # each image says its size
FLAG_CODINGS = 16  # each image says its coding
FLAG_ONE_WINDOW = 32  # all images were made of values by one window
FLAG_WINDOWS = 64  # each image says its window

FingerprintOf = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The fields of a block.

    model: number of the model in the archive. first: number of the first image. codings: of the images. sizes: (height,
    width) of each image, None where all have the model's own, or where each is a stream. labels int64 (count, columns)
    or None. names: the packed section (columns.unpack_names), or None. windows: of each image, None where they have
    none, or where each is a stream.
    """

    model: int
    first: int
    codings: Codings
    sizes: tuple[Size, ...] | None
    labels: Labels | None
    names: bytes | None
    payload: bytes
    windows: tuple[Window, ...] | None = None

    @property
    def count(self) -> int:
        """Images of the block."""
        return len(self.codings.each)


@dataclass(frozen=True, slots=True)
class BlockHead:
    """What stands at the start of a block, not verified: enough to find the model, and then to verify."""

    frame: Frame
    model: int
    count: int
    first: int
    names_bytes: int
    end: int


@lru_cache(maxsize=64)
def _fingerprint_state(fingerprint: bytes) -> int:
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise BadField(f"model fingerprint: expected {FINGERPRINT_BYTES} bytes, found {len(fingerprint)}")
    return zlib.crc32(fingerprint)


def pack_block(block: Block, fingerprint: bytes) -> bytes:
    """The bytes of a block; `fingerprint` is the whole one of its model. Raises BadField, LimitExceeded."""
    _check_ranges(block)
    kind, writer = KIND_BLOCK, Writer()
    writer.uvarint(block.model)
    writer.u8(block.count - 1)
    writer.uvarint(block.first)
    if block.names is not None:
        kind |= FLAG_NAMES
        writer.uvarint(len(block.names))
    kind |= FLAG_CODINGS if block.codings.several else 0
    put_codings(writer, block.codings)
    if block.sizes is not None:
        mixed = any(size != block.sizes[0] for size in block.sizes)
        kind |= FLAG_SIZES if mixed else FLAG_ONE_SIZE
        for height, width in block.sizes if mixed else block.sizes[:1]:
            writer.raw(bytes((height - 1, width - 1)))
    if block.windows is not None:
        differ = any(window != block.windows[0] for window in block.windows)
        kind |= FLAG_WINDOWS if differ else FLAG_ONE_WINDOW
        for window in block.windows if differ else block.windows[:1]:
            writer.raw(window.pack())
    if block.labels is not None:
        kind |= FLAG_LABELS
        writer.raw(pack_labels(block.labels))
    writer.raw(block.payload)
    names = block.names or b""
    body = pack_frame(kind, len(writer) + len(names)) + writer.getvalue()
    if len(body) + len(names) > MAX_BLOCK_BYTES:
        raise LimitExceeded(f"block: {len(body) + len(names)} bytes, at most {MAX_BLOCK_BYTES} allowed")
    check = zlib.crc32(body, _fingerprint_state(fingerprint))
    return body + names + check.to_bytes(RECORD_CHECK_BYTES, "little")


def _check_ranges(block: Block) -> None:
    if not 1 <= block.count <= MAX_BLOCK_IMAGES:
        raise LimitExceeded(f"block: {block.count} images, not in 1..{MAX_BLOCK_IMAGES}")
    if block.sizes is not None:
        if block.codings.is_streams:
            raise BadField("block: its images are streams, which say their sizes themselves")
        if len(block.sizes) != block.count:
            raise BadField(f"block: {len(block.sizes)} sizes for {block.count} images")
        if not all(1 <= side <= MAX_SIDE for size in block.sizes for side in size):
            raise LimitExceeded(f"block: sides must be in 1..{MAX_SIDE}")
    if block.windows is not None:
        if block.codings.is_streams:
            raise BadField("block: its images are streams, which say their windows themselves")
        if len(block.windows) != block.count:
            raise BadField(f"block: {len(block.windows)} windows for {block.count} images")
    if block.labels is not None and len(block.labels) != block.count:
        raise BadField(f"block: {len(block.labels)} labels for {block.count} images")


def pack_streams(streams: Sequence[bytes]) -> bytes:
    """The payload of a block whose images are streams: the length of each but the last, and the streams."""
    writer = Writer()
    for stream in streams[:-1]:
        writer.uvarint(len(stream))
    for stream in streams:
        writer.raw(stream)
    return writer.getvalue()


def unpack_streams(payload: Buffer, count: int) -> tuple[bytes, ...]:
    """The inverse of pack_streams, for so many images. Raises Truncated, NotCanonical, LimitExceeded."""
    reader = Reader(payload)
    lengths = [reader.uvarint("length of an image's stream") for _ in range(count - 1)]
    streams = [bytes(reader.take(length, "image's stream")) for length in lengths]
    return (*streams, bytes(reader.take(reader.remaining, "last image's stream")))


def unpack_head(data: Buffer) -> BlockHead:
    """The start of a block, of which `data` may hold more or less. Raises FormatError's children."""
    view = memoryview(data).cast("B")
    frame = unpack_frame(view[:MAX_FRAME_BYTES])
    if not frame.kind & KIND_BLOCK:
        raise BadField(f"record kind at offset 2: {frame.kind} is no block")
    if frame.frame_bytes + frame.body_bytes > MAX_BLOCK_BYTES:
        raise LimitExceeded(f"block: {frame.frame_bytes + frame.body_bytes} bytes, at most {MAX_BLOCK_BYTES} allowed")
    reader = Reader(view)
    reader.take(frame.frame_bytes, "block")
    model = reader.uvarint("block's model")
    if model >= MAX_ARCHIVE_MODELS:
        raise LimitExceeded(f"block's model: {model}, at most {MAX_ARCHIVE_MODELS - 1} allowed")
    count = reader.u8("block's images") + 1
    if count > MAX_BLOCK_IMAGES:
        raise LimitExceeded(f"block: {count} images, at most {MAX_BLOCK_IMAGES} allowed")
    first = reader.uvarint("block's first image")
    names_bytes = reader.uvarint("names' bytes") if frame.kind & FLAG_NAMES else 0
    if names_bytes > frame.body_bytes - (reader.offset - frame.frame_bytes):
        raise BadField(f"names' bytes at offset {reader.offset}: {names_bytes} in a block of {frame.body_bytes}")
    return BlockHead(frame, model, count, first, names_bytes, reader.offset)


def unpack_block(data: Buffer, fingerprint_of: FingerprintOf) -> Block:
    """The fields of exactly one block, verified; `fingerprint_of` gives the fingerprint of a model's number.

    The names' section is left packed: unpack_names verifies it. Raises FormatError's children.
    """
    view = memoryview(data).cast("B")
    head = unpack_head(view)
    reader = Reader(view)
    covered = reader.take(head.frame.record_bytes - RECORD_CHECK_BYTES - head.names_bytes, "block")
    names = reader.take(head.names_bytes, "names")
    check = reader.u32("block check")
    reader.end("block")
    try:
        state = _fingerprint_state(fingerprint_of(head.model))
    except LookupError as error:
        raise BadChecksum(f"block: model number {head.model} is none of this archive's") from error
    compare_check(zlib.crc32(covered, state), check, len(view) - RECORD_CHECK_BYTES)
    fields = Reader(covered)
    fields.take(head.end, "block")
    named = bytes(names) if head.frame.kind & FLAG_NAMES else None
    return _take_fields(fields, head, named)


def _take_fields(fields: Reader, head: BlockHead, names: bytes | None) -> Block:
    kind, count = head.frame.kind, head.count
    codings = take_codings(fields, count, bool(kind & FLAG_CODINGS))
    if kind & FLAG_ONE_SIZE and kind & FLAG_SIZES:
        raise BadField("record kind at offset 2: one size and a size for each image exclude each other")
    sizes: tuple[Size, ...] | None = None
    if codings.is_streams and kind & (FLAG_ONE_SIZE | FLAG_SIZES):
        raise BadField("record kind at offset 2: images that are streams say their sizes themselves")
    if kind & (FLAG_ONE_SIZE | FLAG_SIZES):
        sides = fields.take(2 * count if kind & FLAG_SIZES else 2, "sizes")
        sizes = tuple((sides[i] + 1, sides[i + 1] + 1) for i in range(0, len(sides), 2))
        if kind & FLAG_SIZES and all(a == b for a, b in pairwise(sizes)):
            raise NotCanonical("block: equal sizes must be written once")
        sizes = sizes if kind & FLAG_SIZES else sizes * count
    windows = _take_windows(fields, head, codings)
    labels = take_labels(fields, count) if kind & FLAG_LABELS else None
    payload = bytes(fields.take(fields.remaining, "payload"))
    return Block(head.model, head.first, codings, sizes, labels, names, payload, windows)


def _take_windows(fields: Reader, head: BlockHead, codings: Codings) -> tuple[Window, ...] | None:
    kind, count = head.frame.kind, head.count
    if not kind & (FLAG_ONE_WINDOW | FLAG_WINDOWS):
        return None
    if kind & FLAG_ONE_WINDOW and kind & FLAG_WINDOWS:
        raise BadField("record kind at offset 2: one window and a window for each image exclude each other")
    if codings.is_streams:
        raise BadField("record kind at offset 2: images that are streams say their windows themselves")
    if kind & FLAG_ONE_WINDOW:
        return (take_window(fields),) * count
    windows = tuple(take_window(fields) for _ in range(count))
    if all(a == b for a, b in pairwise(windows)):
        raise NotCanonical("block: equal windows must be written once")
    return windows


def numbers_of_whole(data: Buffer, fingerprint_of: FingerprintOf) -> tuple[int, int] | None:
    """(first image, images) of a block whose check matches, whatever else it says; None of one that is damaged."""
    try:
        head = unpack_head(data)
        state = _fingerprint_state(fingerprint_of(head.model))
        view = memoryview(data).cast("B")
        if head.frame.record_bytes != len(view):
            return None
        covered = view[: len(view) - RECORD_CHECK_BYTES - head.names_bytes]
        compare_check(zlib.crc32(covered, state), int.from_bytes(view[-RECORD_CHECK_BYTES:], "little"), len(covered))
    except (FormatError, LookupError):
        return None
    return head.first, head.count


def names_of_damaged(data: Buffer) -> tuple[str, ...] | None:
    """The names in a block whose other bytes may be damaged, where their own check still matches."""
    try:
        head = unpack_head(data)
        view = memoryview(data).cast("B")
        end = len(view) - RECORD_CHECK_BYTES
        return unpack_names(view[end - head.names_bytes : end], head.count) if head.names_bytes else None
    except FormatError:
        return None
