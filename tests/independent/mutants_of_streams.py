"""Damaged and made-up streams, the same ones for the same seed.

golden streams --flip, cut, splice, …--> bytes, with the check and the payload's spelling made right in a share of them
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.independent import streams
from tests.independent.checks import crc24, crc32
from tests.independent.exact_images import decode_images
from tests.independent.model_file import Model
from tests.independent.range_coder import PRECISION, TOTAL, RangeDecoder, shortest
from tests.independent.refusal import Refused
from tests.independent.windows import FORMS


@dataclass(frozen=True, slots=True)
class Sample:
    """A stream and the name of the model that it was made with."""

    model: str
    data: bytes


def mutants(samples: Sequence[Sample], models: dict[str, Model], rng: Random) -> Iterator[Sample]:
    """Mutants without end."""
    while True:
        sample = rng.choice(samples)
        data = sample.data
        model = models[sample.model]
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            data = rng.choice(CHANGES)(data, samples, rng)
        if rng.random() < 0.1:
            sample = Sample(rng.choice(sorted(models)), data)
            model = models[sample.model]
        if rng.random() < 0.7:
            data = data[:2] + model.fingerprint[:2] + data[4:]
        if rng.random() < 0.5:
            data = respelt(data, model)
        if rng.random() < 0.8:
            data = rechecked(data, model)
        yield Sample(sample.model, data)


def rechecked(data: bytes, model: Model) -> bytes:
    """The stream with the check that fits the model, if there is one."""
    body = data[: -streams.CHECK_BYTES]
    after = b""
    try:
        stream = streams.parse(data)
        if stream.coding in streams.CODED and model.lossless is not None:
            decoder, geometry = Respelling(stream.payload), (model.height, model.width)
            (image,) = decode_images(model.lossless, decoder, [geometry], [stream.error])
            height, width = stream.size or geometry
            image = image[:height, :width]
            after = crc32(image.tobytes()).to_bytes(4, "little")
    except Refused:
        pass
    return body + crc24(model.fingerprint + body + after).to_bytes(3, "big")


def respelt(data: bytes, model: Model) -> bytes:
    """The stream with the canonical payload of the symbols that its payload says, if it says any."""
    try:
        stream = streams.parse(data)
        decoder = Respelling(stream.payload)
        if stream.coding in streams.CODED and model.lossless is not None:
            decode_images(model.lossless, decoder, [(model.height, model.width)], [stream.error])
        elif stream.coding < len(model.levels):
            model.decode_symbols(decoder, stream.coding)
        else:
            return data
    except Refused:
        return data
    head = len(data) - streams.CHECK_BYTES - len(stream.payload)
    return data[:head] + decoder.spelling() + data[-streams.CHECK_BYTES :]


class Respelling(RangeDecoder):
    """A decoder that takes any bytes for symbols, and tells their right spelling."""

    def _quantile(self) -> int:
        self._scale = self._range >> PRECISION
        return min(self._above // self._scale, TOTAL - 1)

    def spelling(self) -> bytes:
        """The canonical payload of what was decoded so far."""
        return shortest(self.low(), self.width, self.bits)

    def end(self) -> None:
        """Anything goes."""


def _flip(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    if not data:
        return data
    position, bit = rng.randrange(len(data)), rng.randrange(8)
    return _with(data, position, data[position] ^ (1 << bit))


def _change(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    if not data:
        return data
    return _with(data, rng.randrange(len(data)), rng.choice([0, 1, 127, 128, 255, rng.randrange(256)]))


def _head(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    """Another coding, size or E: the fields that decide most."""
    if len(data) < 7:
        return data
    position = rng.choice([1, 1, 1, 4, 5, 6])
    codings = [0, 1, 2, 7, 8, 111, 112, 123, 124, 125, 126, 127]
    return _with(data, position, rng.choice(codings) | rng.choice([0, 128]))


def _size(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    """A size put in or taken out, as bit 7 of the coding says."""
    if len(data) < 9:
        return data
    if data[1] & 0x80:
        return _with(data, 1, data[1] & 0x7F)[:4] + data[6:]
    side = [0, 3, 5, 8, 11, 26, 27, 28, 255]
    return _with(data, 1, data[1] | 0x80)[:4] + bytes([rng.choice(side), rng.choice(side)]) + data[4:]


def _window(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    """A window put in, as version 3 says, or the version alone."""
    if len(data) < 7 or rng.random() < 0.1:
        return _with(data, 0, data[0] ^ 2) if data else data
    return bytes([0xBB]) + data[1:4] + window_record(rng) + data[4:]


def window_record(rng: Random, *, right: bool = False) -> bytes:
    """A window of any type, most often one that is right."""
    kind = rng.choice([1, 1, 2, 3, 4, 5, 6, 7, *([] if right else [7, 0, 8])])
    form = "<" + FORMS.get(kind, "H")
    reach = {"H": (0, 65535), "h": (-32768, 32767), "I": (0, 2**32 - 1), "i": (-(2**31), 2**31 - 1)}
    ends: list[float]
    if form[1] in reach:
        ends = sorted(rng.randint(*reach[form[1]]) for _ in range(2))
    else:
        special = [0.0, 1.0, 6e4] if right else [-0.0, float("nan"), float("inf"), 1e300 if kind == 7 else 6e4]
        ends = sorted(rng.choice(special) if rng.random() < 0.3 else rng.uniform(-6e4, 6e4) for _ in range(2))
    if not right and rng.random() < 0.1:
        ends.reverse()
    return bytes([kind]) + b"".join(struct.pack(form, end) for end in ends)


def _cut(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _remove(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice([1, 1, 2, 3, 8]) :]


def _insert(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    start = rng.choice([rng.randrange(len(data) + 1), len(data), max(0, len(data) - 3)])
    added = rng.choice([bytes(rng.choice([1, 2, 4])), rng.randbytes(rng.choice([1, 2, 4, 20])), b"\xff" * 6])
    return data[:start] + added + data[start:]


def _splice(data: bytes, samples: Sequence[Sample], rng: Random) -> bytes:
    other = rng.choice(samples).data
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _payload(data: bytes, _: Sequence[Sample], rng: Random) -> bytes:
    """Random bytes for a payload."""
    return data[:4] + rng.randbytes(rng.choice([0, 1, 3, 8, 12, 30, 100])) + data[-3:]


def _with(data: bytes, position: int, byte: int) -> bytes:
    return data[:position] + bytes([byte]) + data[position + 1 :]


CHANGES = (_flip, _change, _head, _size, _window, _cut, _remove, _insert, _splice, _payload)
