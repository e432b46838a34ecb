import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecodec.bitstream.array_bytes import DTYPE_CODES, pack_array, unpack_array
from vaecodec.errors import BadField, FormatError, LimitExceeded, TrailingData, Truncated

SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)


@settings(max_examples=200)
@given(st.sampled_from(sorted(DTYPE_CODES.values())), SHAPES, st.integers(0, 2**32), st.sampled_from("<>="))
def test_unpack_inverts_pack(name: str, shape: tuple[int, ...], seed: int, order: str) -> None:
    dtype = np.dtype(name)
    data = np.random.default_rng(seed).bytes(math.prod(shape) * dtype.itemsize)
    array = np.frombuffer(data, dtype.newbyteorder(order)).reshape(shape).T
    again = unpack_array(pack_array(array))
    assert again.dtype == dtype
    assert again.shape == array.shape
    # Compared as bytes: a float's NaN must come back too.
    assert again.tobytes() == array.astype(dtype).tobytes()
    assert not again.flags.writeable


@settings(max_examples=500)
@given(st.binary(max_size=30) | st.binary(max_size=30).map(lambda rest: b"\x01\x02" + rest))
def test_any_bytes_are_a_format_error_or_an_array_that_packs_to_them(data: bytes) -> None:
    try:
        array = unpack_array(data)
    except FormatError:
        return
    assert pack_array(array) == data


def test_the_layout_is_the_specifications() -> None:
    assert pack_array(np.array([[1, -2]], np.int16)).hex() == "0402" + "01000000" + "02000000" + "0100feff"


def test_cut_and_long_arrays() -> None:
    data = pack_array(np.arange(6, dtype=np.float32).reshape(2, 3))
    for length in range(len(data)):
        with pytest.raises(Truncated):
            unpack_array(data[:length])
    with pytest.raises(TrailingData):
        unpack_array(data + b"\0")


def test_an_unknown_dtype_is_a_bad_field() -> None:
    for code in (0, 11, 255):
        with pytest.raises(BadField, match=f"code {code}"):
            unpack_array(bytes([code, 0]))
    for dtype in (np.bool_, np.complex64, object, "U3"):
        with pytest.raises(BadField):
            pack_array(np.zeros(1, dtype))


def test_a_header_that_asks_for_too_much_exceeds_the_limit() -> None:
    with pytest.raises(LimitExceeded, match="dimensions"):
        unpack_array(b"\x01\x09" + bytes(36))
    with pytest.raises(LimitExceeded, match="bytes"):
        unpack_array(b"\x0a\x02" + b"\xff" * 8)
    with pytest.raises(LimitExceeded, match="too large"):
        unpack_array(b"\x01\x05" + b"\xff" * 16 + bytes(4))
    with pytest.raises(LimitExceeded):
        pack_array(np.broadcast_to(np.uint8(0), (2**14, 2**14)))
    with pytest.raises(LimitExceeded):
        pack_array(np.zeros((1,) * 9, np.uint8))
