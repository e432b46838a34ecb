"""Plain damage to any file, the same for the same seed: no check is made right behind it.

bytes --flip, set, cut, insert, remove, splice, swap, number--> bytes
"""

from collections.abc import Sequence
from random import Random

NUMBERS = (0, 1, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
HEAD_BYTES = 64  # where fields decide most


def changed(files: Sequence[bytes], rng: Random) -> bytes:
    """One of the files with one to four changes; it may happen that they leave it as it is."""
    data = rng.choice(files)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        data = rng.choice(CHANGES)(data, files, rng)
    return data


def _place(data: bytes, rng: Random) -> int:
    """A byte of the file: of its head or its end as often as of all of it."""
    last = max(0, len(data) - 1)
    anywhere, in_head = rng.randrange(last + 1), rng.randrange(HEAD_BYTES)
    near_end = max(0, len(data) - rng.randrange(1, HEAD_BYTES))
    return min(last, rng.choice([in_head, near_end, anywhere, anywhere]))


def _flip(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    place = _place(data, rng)
    return data[:place] + bytes(byte ^ 1 << rng.randrange(8) for byte in data[place : place + 1]) + data[place + 1 :]


def _set(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    place, count = _place(data, rng), rng.choice([1, 1, 2, 4, 16])
    filled = rng.choice([bytes(count), b"\xff" * count, rng.randbytes(count)])
    return data[:place] + filled[: len(data) - place] + data[place + count :]


def _number(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    """What may be a length, by another one of the same width: 1, 2, 4 or 8 bytes."""
    place, width = _place(data, rng), rng.choice([1, 2, 4, 8])
    found = int.from_bytes(data[place : place + width], "little")
    number = rng.choice([found + 1, found - 1, found * 2, found + 256, rng.choice(NUMBERS)]) % 256**width
    written = number.to_bytes(width, rng.choice(["little", "big"]))
    return data[:place] + written[: len(data) - place] + data[place + width :]


def _cut(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    return data[: _place(data, rng)]


def _remove(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    place = _place(data, rng)
    return data[:place] + data[place + rng.choice([1, 1, 2, 8, 64, 1000]) :]


def _insert(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    place = rng.choice([_place(data, rng), len(data)])
    count = rng.choice([1, 1, 4, 30])
    return data[:place] + rng.choice([bytes(count), rng.randbytes(count), data[place : place + count]]) + data[place:]


def _splice(data: bytes, files: Sequence[bytes], rng: Random) -> bytes:
    other = rng.choice(files)
    return data[: _place(data, rng)] + other[_place(other, rng) :]


def _swap(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    """Two runs of bytes that follow one another, each in the other's place: as blocks and regions do."""
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


CHANGES = (_flip, _flip, _set, _number, _number, _cut, _remove, _insert, _splice, _swap)
