import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bitstream.windows import windows
from vaecodec.bitstream import limits
from vaecodec.bitstream.stream import (
    CODED_EXACTLY,
    CODING_LOSSLESS,
    CODING_NEAR_LOSSLESS,
    CODING_STORED,
    CODING_STORED_BITS,
    pack,
    unpack,
    verify,
)
from vaecodec.bitstream.window import Window
from vaecodec.errors import BadChecksum, BadField, BadMagic, FormatError, LimitExceeded, Truncated, UnsupportedVersion

FINGERPRINT = bytes(range(100, 132))
SIZES = st.none() | st.tuples(st.integers(1, 256), st.integers(1, 256))


@given(st.integers(0, 111), st.binary(min_size=32, max_size=32), SIZES, st.binary(max_size=60))
def test_unpack_inverts_pack(coding: int, fingerprint: bytes, size: tuple[int, int] | None, payload: bytes) -> None:
    data = pack(coding, fingerprint, size, payload)
    assert len(data) == len(payload) + (7 if size is None else 9)
    stream = unpack(data)
    assert (stream.coding, stream.size, stream.payload) == (coding, size, payload)
    assert stream.short_fingerprint == fingerprint[:2]
    assert stream.check == int.from_bytes(data[-3:], "big")
    verify(data, fingerprint)


@pytest.mark.parametrize("coding", [CODING_LOSSLESS, CODING_NEAR_LOSSLESS, CODING_STORED, CODING_STORED_BITS])
@given(SIZES, st.integers(1, 127), st.binary(max_size=60), st.binary(max_size=60))
def test_unpack_inverts_pack_for_every_other_coding(
    coding: int, size: tuple[int, int] | None, error: int, payload: bytes, pixels: bytes
) -> None:
    error = error if coding == CODING_NEAR_LOSSLESS else 0
    data = pack(coding, FINGERPRINT, size, payload, max_error=error, pixels=pixels)
    assert len(data) == len(payload) + (7 if size is None else 9) + (error > 0)
    stream = unpack(data)
    assert (stream.coding, stream.size, stream.max_error, stream.payload) == (coding, size, error, payload)
    verify(data, FINGERPRINT, pixels)
    if coding in CODED_EXACTLY:
        with pytest.raises(BadChecksum):
            verify(data, FINGERPRINT, pixels + b"\1")
    else:
        verify(data, FINGERPRINT)


@given(st.sampled_from([5, 127, 125, 126]), SIZES, windows(), st.binary(max_size=60), st.binary(max_size=60))
def test_a_window_stands_in_a_stream_of_version_3(
    coding: int, size: tuple[int, int] | None, window: Window, payload: bytes, pixels: bytes
) -> None:
    error = 9 if coding == CODING_NEAR_LOSSLESS else 0
    data = pack(coding, FINGERPRINT, size, payload, max_error=error, pixels=pixels, window=window)
    plain = pack(coding, FINGERPRINT, size, payload, max_error=error, pixels=pixels)
    assert data[0] == 0xBB
    assert data[1:4] + data[4 + len(window.pack()) : -3] == plain[1:-3]
    stream = unpack(data)
    assert (stream.window, stream.version) == (window, 3)
    assert (stream.coding, stream.size, stream.max_error, stream.payload) == (coding, size, error, payload)
    verify(data, FINGERPRINT, pixels)
    damaged = bytearray(data)
    damaged[6] ^= 1
    with pytest.raises(BadChecksum):
        verify(bytes(damaged), FINGERPRINT, pixels)


@settings(max_examples=500)
@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda rest: b"\xb9" + rest))
def test_any_bytes_are_a_format_error_or_a_stream_that_packs_to_them(data: bytes) -> None:
    try:
        stream = unpack(data)
        again = pack(
            stream.coding,
            stream.short_fingerprint + bytes(30),
            stream.size,
            stream.payload,
            max_error=stream.max_error,
        )
        assert again[:-3] == data[:-3]
        verify(data, FINGERPRINT)
    except FormatError:
        pass


def assert_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        unpack_and_verify(data)


def unpack_and_verify(data: bytes) -> None:
    unpack(data)
    verify(data, FINGERPRINT)


@pytest.mark.parametrize("size", [None, (20, 28)])
@pytest.mark.parametrize("payload", [b"", b"\x5a", bytes(range(1, 22))])
def test_every_flipped_bit_is_detected(size: tuple[int, int] | None, payload: bytes) -> None:
    data = pack(5, FINGERPRINT, size, payload)
    for bit in range(8 * len(data)):
        damaged = int.from_bytes(data, "big") ^ 1 << bit
        assert_refused(damaged.to_bytes(len(data), "big"))


def test_every_burst_of_up_to_24_bits_is_detected() -> None:
    rng = random.Random(0)
    data = pack(5, FINGERPRINT, None, bytes(range(1, 18)))
    number = int.from_bytes(data, "big")
    for length in range(1, 25):
        for start in range(8 * len(data) - length + 1):
            burst = 1 | 1 << (length - 1) | rng.getrandbits(length)
            assert_refused((number ^ burst << start).to_bytes(len(data), "big"))


def test_every_cut_is_detected() -> None:
    data = pack(5, FINGERPRINT, (3, 4), bytes(range(1, 18)))
    for length in range(len(data)):
        assert_refused(data[:length])


def test_added_bytes_are_a_bad_checksum() -> None:
    data = pack(5, FINGERPRINT, None, b"abc")
    tails = [byte * count for byte in (b"\0", b"\xff", b" ", b"\n") for count in range(1, 600)]
    for tail in [*tails, data[-3:], data]:
        with pytest.raises(BadChecksum):
            verify(data + tail, FINGERPRINT)


def test_another_models_fingerprint_is_a_bad_checksum() -> None:
    data = pack(5, FINGERPRINT, None, b"abc")
    with pytest.raises(BadChecksum, match="check at offset 7"):
        verify(data, FINGERPRINT[:31] + b"\0")


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"{}", b"\0" * 20, b"\xff\xd8\xff\xe0"])
def test_another_kind_of_file_is_bad_magic(data: bytes) -> None:
    with pytest.raises(BadMagic):
        unpack(data)


def test_another_version_is_unsupported() -> None:
    with pytest.raises(UnsupportedVersion, match="version 2"):
        unpack(b"\xba" + pack(5, FINGERPRINT, None, b"")[1:])


@pytest.mark.parametrize("length", range(7))
def test_a_cut_header_is_truncated(length: int) -> None:
    data = pack(5, FINGERPRINT, None, b"")[:length]
    with pytest.raises(Truncated):
        unpack(data)
    with pytest.raises(Truncated):
        verify(data, FINGERPRINT)


@pytest.mark.parametrize("error", [0, 128, 255])
def test_an_error_that_a_near_lossless_stream_cannot_have_is_a_bad_field(error: int) -> None:
    data = bytearray(pack(CODING_NEAR_LOSSLESS, FINGERPRINT, None, b"", max_error=3))
    data[4] = error
    with pytest.raises(BadField, match="max error"):
        unpack(data)
    with pytest.raises(BadField, match="max error"):
        pack(CODING_NEAR_LOSSLESS, FINGERPRINT, None, b"", max_error=error)


def test_a_stream_of_another_coding_has_no_error() -> None:
    with pytest.raises(BadField, match="not near-lossless"):
        pack(CODING_LOSSLESS, FINGERPRINT, None, b"", max_error=1)


@pytest.mark.parametrize("coding", [112, 123])
def test_a_reserved_coding_is_a_bad_field(coding: int) -> None:
    data = bytearray(pack(5, FINGERPRINT, None, b""))
    data[1] = coding
    with pytest.raises(BadField, match="coding at offset 1"):
        unpack(data)
    with pytest.raises(BadField):
        pack(coding, FINGERPRINT, None, b"")


def test_a_fingerprint_of_another_length_is_a_bad_field() -> None:
    with pytest.raises(BadField):
        pack(0, FINGERPRINT[:2], None, b"")
    with pytest.raises(BadField):
        verify(pack(0, FINGERPRINT, None, b""), FINGERPRINT + b"\0")


@pytest.mark.parametrize("size", [(0, 1), (1, 257), (-1, 5)])
def test_a_side_that_does_not_fit_its_byte_exceeds_the_limit(size: tuple[int, int]) -> None:
    with pytest.raises(LimitExceeded):
        pack(0, FINGERPRINT, size, b"")


def test_a_huge_stream_exceeds_the_limit() -> None:
    huge = b"\xb9" + bytes(limits.MAX_STREAM_BYTES)
    for refuse in (lambda: unpack(huge), lambda: verify(huge, FINGERPRINT), lambda: pack(0, FINGERPRINT, None, huge)):
        with pytest.raises(LimitExceeded):
            refuse()
