"""The most that a container and a picture's stream may hold: one more is refused before anything is made of it."""

import numpy as np
import pytest

from vaecodec.bitstream.container import pack_container, unpack_container
from vaecodec.bitstream.limits import MAX_PICTURE_STREAM_BYTES, MAX_SECTIONS
from vaecodec.bitstream.picture_stream import unpack_picture
from vaecodec.errors import FormatError, LimitExceeded


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
