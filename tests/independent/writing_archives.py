"""Writes archives as the page says, and as it forbids where a caller asks for it (section 13).

Part: a record's bytes and what the footer says of it      parts --segment--> bytes      segments --> archive
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from tests.independent.blocks import CODINGS, LABELLED, NAMED, ONE_SIZE, ONE_WINDOW, SIZES, WINDOWS
from tests.independent.checks import crc32
from tests.independent.embedded import CHUNK_BYTES, PARITY_CHUNKS
from tests.independent.exact_images import decode_images, stored_length
from tests.independent.model_file import Model
from tests.independent.mutants_of_streams import Respelling
from tests.independent.names_table import NAMES_PER_PAGE, hash_of
from tests.independent.records import BLOCK, EMBEDDED, FOOTER, MODEL, NAMES, SYNC, TRAILER_MAGIC
from tests.independent.streams import CODED, MAX_LEVEL, NEAR_LOSSLESS, STORED_BITS

HEADER = bytes.fromhex("89 56 41 45 41 0d 0a 1a 01")


def uvarint(value: int) -> bytes:
    """7 bits a byte, the lowest first."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def u32(value: int) -> bytes:
    """Four bytes, little-endian."""
    return value.to_bytes(4, "little")


def record(kind: int, body: bytes, *, before: bytes = b"", unchecked: int = 0) -> bytes:
    """A record whose check covers `before` and all of it but the last `unchecked` bytes of the body."""
    written = SYNC + bytes([kind]) + uvarint(len(body)) + body
    return written + u32(crc32(before, written[: len(written) - unchecked]))


def model_record(model: Model, name: str = "a model") -> bytes:
    """The record of a model."""
    spelt = name.encode()
    return record(MODEL, model.fingerprint + bytes([model.height - 1, model.width - 1, len(spelt)]) + spelt)


def embedded_record(file: bytes) -> bytes:
    """The record of a model's file."""
    chunks = [file[i : i + CHUNK_BYTES].ljust(CHUNK_BYTES, b"\0") for i in range(0, len(file), CHUNK_BYTES)]
    parities = []
    for parity in range(PARITY_CHUNKS):
        members = [np.frombuffer(chunk, np.uint8) for chunk in chunks[parity::PARITY_CHUNKS]]
        parities.append(np.bitwise_xor.reduce(members, axis=0).tobytes() if members else bytes(CHUNK_BYTES))
    head = u32(len(file)) + b"".join(u32(crc32(part)) for part in [*chunks, *parities])
    body = head + file + b"".join(parities)
    return record(EMBEDDED, body, unchecked=len(body) - len(head))


@dataclass(slots=True)
class BlockPlan:
    """What a block holds; labels: rows of columns."""

    model: Model
    number: int
    first: int
    codings: list[int]
    sizes: list[tuple[int, int]]
    error: int = 1
    names: list[str] | None = None
    labels: list[list[int]] | None = None
    windows: list[bytes] | None = None


def block_record(plan: BlockPlan, rng: Random) -> bytes:
    """A block of random images."""
    geometry = (plan.model.height, plan.model.width)
    kind = BLOCK | (NAMED if plan.names else 0) | (LABELLED if plan.labels else 0)
    names = names_section(plan.names) if plan.names else b""
    head = uvarint(plan.number) + bytes([len(plan.codings) - 1]) + uvarint(plan.first)
    head += uvarint(len(names)) if plan.names else b""
    if len(set(plan.codings)) > 1:
        kind |= CODINGS
        head += bytes(plan.codings)
    else:
        head += bytes(plan.codings[:1])
    head += bytes([plan.error]) if NEAR_LOSSLESS in plan.codings else b""
    check, payload = _payload(plan, rng)
    head += check
    if len(set(plan.sizes)) > 1:
        kind |= SIZES
        head += b"".join(bytes([height - 1, width - 1]) for height, width in plan.sizes)
    elif plan.sizes[0] != geometry:
        kind |= ONE_SIZE
        head += bytes([plan.sizes[0][0] - 1, plan.sizes[0][1] - 1])
    if plan.windows:
        differ = len(set(plan.windows)) > 1
        kind |= WINDOWS if differ else ONE_WINDOW
        head += b"".join(plan.windows if differ else plan.windows[:1])
    head += labels_field(plan.labels) if plan.labels else b""
    return record(kind, head + payload + names, before=plan.model.fingerprint, unchecked=len(names))


def _payload(plan: BlockPlan, rng: Random) -> tuple[bytes, bytes]:
    """The pixels' check, if there is one, and the payload."""
    decoder = Respelling(rng.randbytes(rng.choice([0, 4, 20, 20, 60]) * len(plan.codings)))
    if plan.codings[0] <= MAX_LEVEL:
        for level in plan.codings:
            plan.model.decode_symbols(decoder, level)
        return b"", decoder.spelling()
    stored = b""
    for coding, size in zip(plan.codings, plan.sizes, strict=True):
        if coding not in CODED:
            length = stored_length(size, coding == STORED_BITS)
            stored += rng.randbytes(length) if size[0] * size[1] % 8 == 0 or coding != STORED_BITS else bytes(length)
    coded = [coding for coding in plan.codings if coding in CODED]
    if not coded or plan.model.lossless is None:
        return b"", stored
    geometry = (plan.model.height, plan.model.width)
    errors = [plan.error if coding == NEAR_LOSSLESS else 0 for coding in coded]
    images = decode_images(plan.model.lossless, decoder, [geometry] * len(coded), errors)
    sizes = [size for size, coding in zip(plan.sizes, plan.codings, strict=True) if coding in CODED]
    cropped = [image[:height, :width].tobytes() for image, (height, width) in zip(images, sizes, strict=True)]
    return u32(crc32(*cropped)), stored + decoder.spelling()


def names_section(names: Sequence[str]) -> bytes:
    """Names and their check."""
    written, before = b"", b""
    for name in names:
        spelt = name.encode()
        same = np.cumprod([a == b for a, b in zip(before, spelt, strict=False)])
        shared = int(same.sum())
        written += uvarint(shared) + uvarint(len(spelt) - shared) + spelt[shared:]
        before = spelt
    return written + u32(crc32(written))


def labels_field(rows: Sequence[Sequence[int]]) -> bytes:
    """Labels of a block."""
    written = bytes([len(rows[0])])
    for column in zip(*rows, strict=True):
        lowest = min(column)
        size = 0 if lowest == 0 else ((lowest if lowest >= 0 else ~lowest).bit_length() + 8) // 8
        bits = (max(column) - lowest).bit_length()
        number = 0
        for value in column:
            number = (number << bits) | (value - lowest)
        length = (bits * len(column) + 7) // 8
        packed = (number << (8 * length - bits * len(column))).to_bytes(length, "big")
        written += bytes([size]) + lowest.to_bytes(size, "little", signed=True) + bytes([bits]) + packed
    return written


def names_record(names: dict[int, str], images: int) -> tuple[bytes, list[int]]:
    """The table of a segment's names by the image's number in it, and the hash of each page's first entry."""
    width = max(1, ((images - 1).bit_length() + 7) // 8)
    entries = sorted((hash_of(name), number) for number, name in names.items())
    body, firsts = b"", []
    for start in range(0, len(entries), NAMES_PER_PAGE):
        page = b"".join(
            u32(h) + number.to_bytes(width, "little") for h, number in entries[start : start + NAMES_PER_PAGE]
        )
        firsts.append(entries[start][0])
        body += page + u32(crc32(page))
    return record(NAMES, body), firsts


@dataclass(slots=True)
class SegmentPlan:
    """The records of a segment; models: fingerprint, record, embedded model's record or nothing."""

    first_image: int
    first_model: int
    models: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    blocks: list[tuple[int, bytes]] = field(default_factory=list)
    metadata: bytes = b""
    names: bytes = b""
    entries: int = 0
    page_hashes: list[int] = field(default_factory=list)

    @property
    def images(self) -> int:
        """Images of all blocks."""
        return sum(images for images, _ in self.blocks)


def footer_fields(plan: SegmentPlan, start: int) -> list[bytes]:
    """The footer's body, field by field."""
    fields = [uvarint(start), uvarint(plan.first_image), uvarint(plan.first_model), uvarint(len(plan.models))]
    for fingerprint, of_model, of_file in plan.models:
        fields += [fingerprint, uvarint(len(of_model)), uvarint(len(of_file))]
    fields += [uvarint(len(plan.metadata)), uvarint(len(plan.names))]
    if plan.names:
        fields += [uvarint(plan.entries), *(u32(first) for first in plan.page_hashes)]
    fields.append(uvarint(len(plan.blocks)))
    runs: list[list[int]] = []
    for images, _ in plan.blocks:
        if runs and runs[-1][0] == images:
            runs[-1][1] += 1
        else:
            runs.append([images, 1])
    for images, blocks in runs:
        fields += [bytes([images - 1]), uvarint(blocks)]
    return fields + [uvarint(len(written)) for _, written in plan.blocks]


def trailer(size: int, version: int = 1) -> bytes:
    """What ends a segment."""
    length = size.to_bytes(8, "little")
    return length + u32(crc32(length)) + TRAILER_MAGIC + bytes([version])


def segment(plan: SegmentPlan, start: int) -> list[bytes]:
    """The records of a segment and its trailer, in order."""
    parts = [part for _, of_model, of_file in plan.models for part in (of_model, of_file) if part]
    parts += [written for _, written in plan.blocks]
    parts += [part for part in (plan.metadata, plan.names) if part]
    footer = record(FOOTER, b"".join(footer_fields(plan, start)))
    return [*parts, footer, trailer(len(footer))]
