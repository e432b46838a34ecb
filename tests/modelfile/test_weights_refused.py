"""Packed weights that are written wrong are refused, field by field."""

import struct

import numpy as np
import pytest

from vaecodec.errors import (
    BadField,
    FormatError,
    LimitExceeded,
    TrailingData,
    Truncated,
)
from vaecodec.modelfile.analysis_weights import (
    MAX_WEIGHT_NUMBERS,
    MAX_WEIGHT_TENSORS,
    Weights,
    deflated,
    pack_weights,
    unpack_weights,
)


def tensor(name: str = "w", shape: tuple[int, ...] = (2, 3), kind: type = np.int16) -> Weights:
    numbers = np.arange(np.prod(shape), dtype=kind).reshape(shape)
    return Weights(name, numbers, np.ones(shape[0], np.float32))


def raw(
    *,
    name: bytes = b"w",
    width: int = 1,
    shape: tuple[int, ...] = (2, 3),
    scale: tuple[float, ...] = (1, 1),
    data: bytes | None = None,
) -> bytes:
    """A section of one tensor, field by field."""
    coded = deflated(bytes(6)) if data is None else data
    head = struct.pack("<HB", 1, len(name)) + name + bytes([width, len(shape)])
    sides = struct.pack(f"<{len(shape)}I", *shape)
    return head + sides + struct.pack(f"<{len(scale)}f", *scale) + struct.pack("<I", len(coded)) + coded


def test_a_section_field_by_field_is_the_one_that_is_packed() -> None:
    (found,) = unpack_weights(raw())
    assert (found.name, found.numbers.shape, found.numbers.dtype) == ("w", (2, 3), np.int8)
    assert pack_weights([found]) == raw()


@pytest.mark.parametrize(
    ("data", "error", "what"),
    [
        (struct.pack("<H", MAX_WEIGHT_TENSORS + 1), LimitExceeded, "tensors, at most"),
        (raw(name=b"\xff"), BadField, "not UTF-8"),
        (raw(width=3), BadField, "numbers of 3 bytes"),
        (raw(shape=()), BadField, "0 dimensions"),
        (raw(shape=(1,) * 9), BadField, "9 dimensions"),
        (raw(shape=(2, 0)), BadField, "holds nothing"),
        (raw(shape=(2, MAX_WEIGHT_NUMBERS)), LimitExceeded, "numbers, at most"),
        (raw(scale=(1, float("inf"))), BadField, "not finite"),
        (raw(scale=(float("nan"), 1)), BadField, "not finite"),
        (raw(data=b"\xff\xff"), BadField, "DEFLATE"),
        (raw(data=deflated(bytes(7))), TrailingData, "go on behind the 6 bytes"),
        (raw(data=deflated(bytes(5))), Truncated, "end after 5 bytes"),
        (raw(data=deflated(bytes(6))[:-1]), Truncated, "end after"),
        (raw(data=deflated(bytes(6)) + b"\0"), TrailingData, "1 bytes follow"),
        (pack_weights([tensor("w"), tensor("w")]), BadField, "same name"),
        (raw() + b"\0", TrailingData, "analysis weights"),
    ],
)
def test_weights_that_are_written_wrong_are_refused(data: bytes, error: type[FormatError], what: str) -> None:
    with pytest.raises(error, match=what):
        unpack_weights(data)


def test_the_shorter_of_the_two_ways_is_taken() -> None:
    noise, zeros = np.random.default_rng(0).bytes(4096), bytes(4096)
    assert len(deflated(zeros)) < 40
    assert len(deflated(noise)) < 4096 + 40
