import random

from hypothesis import given
from hypothesis import strategies as st

from vaecodec.bitstream.check import CRC24_INITIAL, CRC24_POLYNOMIAL, crc24


def bitwise_crc24(data: bytes) -> int:
    state = CRC24_INITIAL
    for byte in data:
        state ^= byte << 16
        for _ in range(8):
            state <<= 1
            if state & 0x1000000:
                state ^= 0x1000000 | CRC24_POLYNOMIAL
    return state


def test_the_published_check_value() -> None:
    assert crc24(b"123456789") == 0x21CF02
    assert crc24(b"") == CRC24_INITIAL


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_the_table_is_the_definition_and_states_go_on(a: bytes, b: bytes) -> None:
    assert crc24(b, crc24(a)) == crc24(a + b) == bitwise_crc24(a + b)
    assert crc24(memoryview(bytearray(a))) == crc24(a)


def test_every_burst_of_up_to_24_bits_changes_the_check() -> None:
    # The check of data XOR burst differs by a function of the burst alone, so one long message stands for all.
    rng = random.Random(0)
    size = 40
    plain = crc24(bytes(size))
    for length in range(1, 25):
        for start in range(8 * size - length + 1):
            burst = 1 | 1 << (length - 1) | rng.getrandbits(length)
            assert crc24((burst << start).to_bytes(size, "big")) != plain
