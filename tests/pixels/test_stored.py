"""Stored pixels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vaecodec.bitstream.stream import CODING_STORED, CODING_STORED_BITS
from vaecodec.errors import NotCanonical, TrailingData, Truncated
from vaecodec.pixels.stored import pack_stored, stored_coding, unpack_stored

SHAPES = st.tuples(st.integers(1, 19), st.integers(1, 19))
BITS = arrays.arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 255]))


@given(arrays.arrays(np.uint8, SHAPES) | BITS)
def test_unpack_inverts_pack(image: np.ndarray) -> None:
    coding, payload = stored_coding(image), pack_stored(image)
    assert coding == (CODING_STORED_BITS if set(np.unique(image)) <= {0, 255} else CODING_STORED)
    assert len(payload) == (image.size if coding == CODING_STORED else -(-image.size // 8))
    again = unpack_stored(coding, payload, image.shape)
    assert again.dtype == np.uint8
    assert np.array_equal(again, image)


@given(st.binary(max_size=30), st.sampled_from([CODING_STORED, CODING_STORED_BITS]), SHAPES)
def test_any_payload_is_refused_or_the_one_of_its_image(payload: bytes, coding: int, size: tuple[int, int]) -> None:
    try:
        image = unpack_stored(coding, payload, size)
    except (Truncated, TrailingData, NotCanonical):
        return
    assert (stored_coding(image), pack_stored(image)) == (coding, payload)


def test_the_first_pixel_is_the_highest_bit() -> None:
    assert pack_stored(np.array([[255, 0, 0], [0, 0, 0], [0, 0, 255]], np.uint8)) == b"\x80\x80"
