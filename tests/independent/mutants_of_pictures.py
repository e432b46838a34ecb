"""Damaged and made-up streams of version 2, the same ones for the same seed.

streams --change a field, a chunk, a payload, bytes--> bytes, with payload and check made right in a share of them
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.independent import picture_streams
from tests.independent.checks import crc32
from tests.independent.cursor import Cursor
from tests.independent.mutants_of_streams import Respelling, window_record
from tests.independent.photographs import PhotographModel, shapes_of_regions
from tests.independent.picture_streams import ALPHA, EXIF, GREY, ICC, PICTURE_CHECK_BYTES, WINDOW, XMP
from tests.independent.refusal import Refused

_SIDES = (0, 1, 2, 15, 16, 17, 33, 64, 65, 700, 2047, 2048, 2049, 4097, 65535)
_EFFORTS = (0, 1, 9)
_MOST_POSITIONS = 30  # of a picture whose payload is made right: networks are slow here


@dataclass(frozen=True, slots=True)
class Fields:
    """A stream in pieces. lengths: one spelt uvarint each. chunks: by flag, the length's uvarint and the bytes."""

    level: int
    short_fingerprint: bytes
    flags: int
    size: tuple[int, int]
    lengths: tuple[bytes, ...]
    chunks: dict[int, bytes]
    payloads: tuple[bytes, ...]

    def joined(self) -> bytes:
        """The stream without its check."""
        height, width = (side.to_bytes(2, "little") for side in self.size)
        head = bytes([0xBA, self.level]) + self.short_fingerprint + bytes([self.flags]) + height + width
        chunks = b"".join(self.chunks[flag] for flag in sorted(self.chunks))
        return head + b"".join(self.lengths) + chunks + b"".join(self.payloads)


def fields_of(data: bytes) -> Fields:
    """The pieces of a stream that is as it should be."""
    stream = picture_streams.parse(data)
    lengths = tuple(uvarint(len(payload)) for payload in stream.payloads[:-1])
    cursor = Cursor(stream.checked, 9 + sum(map(len, lengths)))
    chunks = {}
    for flag in (ALPHA, ICC, EXIF, XMP, WINDOW):
        if data[4] & flag:
            start = cursor.position
            cursor.take(cursor.uvarint("chunk") >> 1, "chunk")
            chunks[flag] = data[start : cursor.position]
    return Fields(stream.level, stream.short_fingerprint, data[4], stream.size, lengths, chunks, tuple(stream.payloads))


def uvarint(value: int, more: int = 0) -> bytes:
    """A uvarint; with so many zeros more at its end than it may have."""
    digits = []
    while not digits or value:
        digits.append(value & 0x7F)
        value >>= 7
    digits += [0] * more
    return bytes([0x80 | digit for digit in digits[:-1]] + digits[-1:])


def sealed(body: bytes, model: PhotographModel) -> bytes:
    """The stream with the check that fits the model."""
    return body + crc32(model.fingerprint, body).to_bytes(PICTURE_CHECK_BYTES, "little")


def mutants(samples: Sequence[bytes], model: PhotographModel, rng: Random) -> Iterator[bytes]:
    """Mutants without end, of streams of this model."""
    held = [fields_of(sample) for sample in samples]
    while True:
        fields = rng.choice(held)
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            fields = rng.choice(CHANGES)(fields, rng)
        if rng.random() < 0.8:
            fields = respelt(fields, model)
        data = fields.joined()
        if rng.random() < 0.25:
            data = rng.choice(DAMAGES)(data, samples, rng)
        yield sealed(data, model) if rng.random() < 0.9 else data + rng.choice(samples)[-PICTURE_CHECK_BYTES:]


def respelt(fields: Fields, model: PhotographModel) -> Fields:
    """The stream with the canonical payloads of the symbols that its payloads say, where they say any."""
    shapes = shapes_of_regions(fields.size)
    positions = sum(rows * columns for rows, columns in shapes)
    if len(shapes) != len(fields.payloads) or not 0 < positions <= _MOST_POSITIONS or fields.level >= model.levels:
        return fields
    payloads = []
    for payload, shape in zip(fields.payloads, shapes, strict=True):
        decoder = Respelling(payload)
        try:
            model.region(decoder, fields.level, *shape)
        except Refused:
            return fields
        payloads.append(decoder.spelling())
    return replace(fields, payloads=tuple(payloads))


def _head(fields: Fields, rng: Random) -> Fields:
    """Another level, flag, size or model: what decides most."""
    kind = rng.randrange(5)
    if kind == 0:
        return replace(fields, level=rng.choice([0, 1, 2, 3, 4, 111, 112, 255]))
    if kind == 1:
        return replace(fields, flags=fields.flags ^ (GREY if rng.random() < 0.5 else 1 << rng.randrange(8)))
    if kind == 2:
        return replace(fields, short_fingerprint=rng.randbytes(2))
    height, width = fields.size
    near = [max(0, height + rng.choice([-1, 1])), rng.choice(_SIDES)]
    size = (rng.choice(near), width) if kind == 3 else (rng.choice(near), rng.choice(_SIDES))
    return replace(fields, size=size)


def _length(fields: Fields, rng: Random) -> Fields:
    """A length that is another, or spelt in another way; or one more or less."""
    if not fields.lengths or rng.random() < 0.2:
        added = uvarint(rng.choice([0, 1, len(fields.payloads[0])]))
        return replace(fields, lengths=(*fields.lengths, added) if rng.random() < 0.5 else fields.lengths[1:])
    place, right = rng.randrange(len(fields.lengths)), len(fields.payloads[0])
    spelt = rng.choice(
        [
            uvarint(max(0, right + rng.choice([-1, 1]))),
            uvarint(right, rng.choice([1, 2, 7])),
            uvarint(rng.choice([0, 2**26, 2**26 + 1, 2**62, 2**63, 2**70])),
            b"\x80" * rng.choice([1, 8, 9, 10]),
        ]
    )
    return replace(fields, lengths=(*fields.lengths[:place], spelt, *fields.lengths[place + 1 :]))


def _chunk(fields: Fields, rng: Random) -> Fields:
    """A chunk more or less, in place of another, or with other bytes or another length."""
    flag = rng.choice([ICC, EXIF, XMP])
    content = rng.choice([b"", b"x", rng.randbytes(20), bytes(300), b"<x:xmpmeta/>" * 9])
    packed = deflated(content, rng.choice(_EFFORTS))
    spelt = rng.choice(
        [
            uvarint(2 * len(content)) + content,
            uvarint(2 * len(packed) + 1) + packed,
            uvarint(2 * len(packed) + 3) + packed + b"\0",
            uvarint(2 * len(packed) - 1) + packed[:-1],
            uvarint(2 * len(content), 1) + content,
            uvarint(2 * rng.choice([0, 2**24, 2**24 + 1, 2**61]) + rng.randrange(2)) + content,
        ]
    )
    kind = rng.random()
    if kind < 0.2:
        chunks = {other: chunk for other, chunk in fields.chunks.items() if other != flag}
        return replace(fields, chunks=chunks, flags=fields.flags & ~flag)
    chunks = {**fields.chunks, flag: spelt}
    return replace(fields, chunks=chunks, flags=fields.flags | (flag if kind < 0.95 else 0))


def _alpha(fields: Fields, rng: Random) -> Fields:
    """Another plane of alpha: of one value, of any kind, too short or long, deflated as a chunk."""
    pixels = fields.size[0] * fields.size[1]
    pixels = max(0, min(pixels, 10000) + rng.choice([0, 0, 0, 0, -1, 1, 3]))
    plane = rng.choice([bytes(pixels), b"\xff" * pixels, rng.randbytes(pixels), bytes([1] + [0] * pixels)[:pixels]])
    packed = deflated(plane, rng.choice(_EFFORTS)) + rng.choice([b"", b"", b"", b"\0"])
    if rng.random() < 0.1:
        packed = packed[:-1]
    content = rng.choice([b"", bytes([rng.choice([0, 7, 254, 255])]), *[bytes([rng.randrange(5)]) + packed] * 4])
    chunk = uvarint(2 * len(content) + (rng.random() < 0.1)) + content
    return replace(fields, chunks={**fields.chunks, ALPHA: chunk}, flags=fields.flags | ALPHA)


def _window(fields: Fields, rng: Random) -> Fields:
    """Another window, too long or short, deflated, or none."""
    if rng.random() < 0.2:
        chunks = {flag: chunk for flag, chunk in fields.chunks.items() if flag != WINDOW}
        return replace(fields, chunks=chunks, flags=fields.flags & ~WINDOW)
    content = window_record(rng)
    content = rng.choice([content, content, content, content, content[:-1], content + b"\0", b""])
    chunk = uvarint(2 * len(content) + (rng.random() < 0.1)) + content
    return replace(fields, chunks={**fields.chunks, WINDOW: chunk}, flags=fields.flags | WINDOW)


def deflated(content: bytes, effort: int) -> bytes:
    """A raw DEFLATE stream; with effort 0 longer than the content, with 9 the shortest that zlib finds."""
    packer = zlib.compressobj(effort, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _payload(fields: Fields, rng: Random) -> Fields:
    """A payload with a bit flipped, cut, longer, random or empty; its length is made right where there is one."""
    place = rng.randrange(len(fields.payloads))
    data = fields.payloads[place]
    if data and rng.random() < 0.5:
        data = _flip(data, (), rng)
    else:
        cut = data[: rng.randrange(len(data) + 1)]
        data = rng.choice([b"", cut, cut, data + b"\0", data + rng.randbytes(3), rng.randbytes(40)])
    payloads = (*fields.payloads[:place], data, *fields.payloads[place + 1 :])
    return replace(fields, payloads=payloads, lengths=tuple(uvarint(len(payload)) for payload in payloads[:-1]))


def _flip(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    position = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(40, len(data)))
    return data[:position] + bytes([data[position] ^ 1 << rng.randrange(8)]) + data[position + 1 :]


def _set(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    position = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(40, len(data)))
    return data[:position] + bytes([rng.choice([0, 1, 127, 128, 255])]) + data[position + 1 :]


def _cut(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _remove(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice([1, 2, 4, 20]) :]


def _insert(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start = rng.choice([rng.randrange(len(data) + 1), 9, len(data)])
    return data[:start] + rng.choice([b"\0", b"\xff" * 4, rng.randbytes(rng.choice([1, 3, 30]))]) + data[start:]


def _splice(data: bytes, samples: Sequence[bytes], rng: Random) -> bytes:
    other = rng.choice(samples)[:-PICTURE_CHECK_BYTES]
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


CHANGES = (_head, _length, _chunk, _chunk, _alpha, _alpha, _window, _payload, _payload)
DAMAGES = (_flip, _flip, _set, _cut, _remove, _insert, _splice)
