"""The most that a container and a picture's stream may hold, and the level above which a stream is exact."""

import hashlib

import numpy as np
import pytest

from vaecodec.bitstream.container import pack_container, unpack_container, unpack_header
from vaecodec.bitstream.limits import MAX_LEVEL, MAX_PICTURE_STREAM_BYTES, MAX_SECTIONS
from vaecodec.bitstream.picture_stream import unpack_picture
from vaecodec.bitstream.stream import is_exact
from vaecodec.errors import FormatError, LimitExceeded, Truncated


def test_a_container_has_at_most_4096_sections():
    sections = {f"s/{number}": b"" for number in range(MAX_SECTIONS)}
    _, found = unpack_container(pack_container({}, sections))
    assert len(found) == MAX_SECTIONS
    with pytest.raises(LimitExceeded, match="4097 sections"):
        pack_container({}, {**sections, "more": b""})


def test_a_pictures_stream_has_at_most_a_gibibyte():
    zeros = np.zeros(MAX_PICTURE_STREAM_BYTES + 1, np.uint8)  # of which no page is touched
    with pytest.raises(LimitExceeded, match="stream: 1073741825 bytes"):
        unpack_picture(zeros)
    with pytest.raises(FormatError) as caught:
        unpack_picture(zeros[:-1])
    assert not isinstance(caught.value, LimitExceeded)


def test_a_header_alone_says_what_the_sections_are():
    data = pack_container({"a": 1}, {"one": b"1", "two": b"22"})
    meta, digests = unpack_header(data)
    assert meta == {"a": 1}
    assert digests == {name: hashlib.sha256(section).hexdigest() for name, section in (("one", b"1"), ("two", b"22"))}
    with pytest.raises(Truncated):
        unpack_header(data[:20])


@pytest.mark.parametrize(("coding", "expected"), [(0, False), (MAX_LEVEL, False), (MAX_LEVEL + 1, True), (127, True)])
@pytest.mark.parametrize("sized", [0, 128])
def test_a_stream_above_the_last_level_is_exact(coding, expected, sized):
    assert is_exact(bytes([0xB9, sized | coding, 7])) == expected


def test_what_is_cut_before_its_coding_is_not_exact():
    assert not is_exact(b"\xb9")
