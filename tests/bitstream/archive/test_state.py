"""A CRC-32 is taken back over the bytes that came last."""

import zlib

import numpy as np
import pytest

from vaecodec.bitstream.archive.state import state_before


@pytest.mark.parametrize("n", [0, 1, 2, 3, 255, 4097, 100_001])
def test_the_state_before_is_that_of_what_stood_there(n):
    rng = np.random.default_rng(n)
    before, data = rng.bytes(32), rng.bytes(n)
    assert state_before(zlib.crc32(data, zlib.crc32(before)), data) == zlib.crc32(before)
    assert state_before(zlib.crc32(before + data), data) == zlib.crc32(before)
