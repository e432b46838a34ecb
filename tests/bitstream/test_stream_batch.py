"""Many streams at once are the streams of stream.py; whatever is not plain and whole is left to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaecodec.bitstream.limits import MAX_LEVEL
from vaecodec.bitstream.stream import pack, unpack, verify
from vaecodec.bitstream.stream_batch import MAX_PLAIN_BYTES, pack_plain, payload_of, sift
from vaecodec.errors import BadField, FormatError

FINGERPRINT = bytes(range(100, 132))
OTHER = FINGERPRINT[:2] + bytes(30)
PAYLOADS = st.lists(st.binary(max_size=40), max_size=12)


@given(PAYLOADS, st.integers(0, MAX_LEVEL))
def test_packed_together_they_are_as_packed_one_by_one(payloads: list[bytes], level: int) -> None:
    streams = pack_plain(level, FINGERPRINT, payloads)
    assert streams == [pack(level, FINGERPRINT, None, payload) for payload in payloads]
    sifted = sift(streams, FINGERPRINT)
    assert sifted.plain.all()
    assert (sifted.level == level).all()
    assert [payload_of(data) for data in streams] == payloads
    assert not sift(streams, OTHER).plain.any()


@given(PAYLOADS, st.data())
def test_what_is_plain_is_what_the_reader_takes_without_a_size(payloads: list[bytes], data: st.DataObject) -> None:
    streams: list[bytes | memoryview] = []
    for k, payload in enumerate(payloads):
        damaged = bytearray(pack(k, FINGERPRINT, (k + 1, 2) if k % 4 == 3 else None, payload))
        for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=2)):
            damaged[place] ^= data.draw(st.integers(0, 255))
        streams.append(memoryview(bytes(damaged[: data.draw(st.integers(0, 2 * len(damaged)))])))
    sifted = sift(streams, FINGERPRINT)
    for stream, plain, level in zip(streams, sifted.plain, sifted.level, strict=True):
        try:
            fields = unpack(stream)
            verify(stream, FINGERPRINT)
        except FormatError:
            assert not plain
            continue
        assert plain == (fields.size is None and fields.short_fingerprint == FINGERPRINT[:2])
        if plain:
            assert (fields.coding, fields.payload) == (level, payload_of(stream))


def test_long_payloads_are_packed_and_left_to_the_reader() -> None:
    payloads = [b"", bytes(MAX_PLAIN_BYTES), np.random.default_rng(0).bytes(MAX_PLAIN_BYTES - 7)]
    streams = pack_plain(3, FINGERPRINT, payloads)
    assert streams == [pack(3, FINGERPRINT, None, payload) for payload in payloads]
    assert sift(streams, FINGERPRINT).plain.tolist() == [True, False, True]


def test_a_level_that_has_no_place_is_refused() -> None:
    with pytest.raises(BadField):
        pack_plain(MAX_LEVEL + 1, FINGERPRINT, [b""])
