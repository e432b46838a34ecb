"""Planes of opacity come back exactly; bytes that no plane makes are refused before they are inflated further."""

import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vaecodec.codec.alpha import pack_alpha, unpack_alpha
from vaecodec.errors import BadField, FormatError, NotCanonical, TrailingData, Truncated

SIZE = (40, 60)
ROWS, COLUMNS = np.mgrid[:40, :60]
MASK = (((ROWS - 20) ** 2 + (COLUMNS - 30) ** 2 < 200) * 255).astype(np.uint8)
PLANES = {
    "a mask": MASK,
    "a ramp": (4 * COLUMNS).astype(np.uint8),
    "a slope": (ROWS + 3 * COLUMNS).astype(np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, SIZE, dtype=np.uint8),
}


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_unpacking_inverts_packing(plane: np.ndarray) -> None:
    np.testing.assert_array_equal(unpack_alpha(pack_alpha(plane), plane.shape), plane)


@pytest.mark.parametrize("name", PLANES)
def test_planes_come_back_and_are_smaller_than_plain_deflate(name: str) -> None:
    plane = PLANES[name]
    packed = pack_alpha(plane)
    np.testing.assert_array_equal(unpack_alpha(packed, SIZE), plane)
    assert len(packed) <= len(zlib.compress(plane.tobytes(), 9))


@pytest.mark.parametrize("value", [0, 128, 255])
def test_one_value_takes_one_byte(value: int) -> None:
    packed = pack_alpha(np.full(SIZE, value, np.uint8))
    assert packed == bytes([value])
    assert (unpack_alpha(packed, SIZE) == value).all()


def test_a_plane_of_one_value_in_many_bytes_is_not_canonical() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    with pytest.raises(NotCanonical):
        unpack_alpha(b"\0" + packer.compress(bytes(2400)) + packer.flush(), SIZE)


def test_no_bytes_are_truncated() -> None:
    with pytest.raises(Truncated):
        unpack_alpha(b"", SIZE)


@pytest.mark.parametrize("kept", [2, 10, 40])
def test_a_cut_plane_is_truncated(kept: int) -> None:
    with pytest.raises(Truncated):
        unpack_alpha(pack_alpha(MASK)[:kept], SIZE)


def test_a_cut_end_of_the_stream_is_truncated() -> None:
    with pytest.raises(Truncated):
        unpack_alpha(pack_alpha(MASK)[:-1], SIZE)


@pytest.mark.parametrize("size", [(39, 60), (40, 59), (1, 1)])
def test_more_pixels_than_the_picture_has_are_trailing(size: tuple[int, int]) -> None:
    with pytest.raises(TrailingData):
        unpack_alpha(pack_alpha(MASK), size)


def test_bytes_after_the_plane_are_trailing() -> None:
    with pytest.raises(TrailingData):
        unpack_alpha(pack_alpha(MASK) + b"\0", SIZE)


def test_an_unknown_kind_and_a_broken_stream_are_bad_fields() -> None:
    packed = pack_alpha(MASK)
    with pytest.raises(BadField, match="kind 4"):
        unpack_alpha(b"\x04" + packed[1:], SIZE)
    with pytest.raises(BadField, match="deflate"):
        unpack_alpha(b"\0\xff" + packed[2:], SIZE)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_plane_or_one_of_our_errors(data: bytes) -> None:
    with suppress(FormatError):
        assert unpack_alpha(data, (7, 5)).shape == (7, 5)
