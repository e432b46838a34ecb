"""CRC-24 of OpenPGP (RFC 4880, section 6.1): the integrity check of a stream.

Polynomial 0x864CFB, initial value 0xB704CE, most significant bit first, nothing inverted. Every burst of up to
24 bits changes it; other damage goes unseen with probability 2**-24.
"""

from vaecodec.bitstream.reader import Buffer

CRC24_POLYNOMIAL = 0x864CFB
CRC24_INITIAL = 0xB704CE


def _step(byte: int) -> int:
    state = byte << 16
    for _ in range(8):
        state = (state << 1) ^ (0x1000000 | CRC24_POLYNOMIAL if state & 0x800000 else 0)
    return state


CRC24_TABLE = tuple(_step(byte) for byte in range(256))


def crc24(data: Buffer, state: int = CRC24_INITIAL) -> int:
    """The check of `data`, or of what gave `state` followed by `data`: crc24(b, crc24(a)) == crc24(a + b)."""
    table = CRC24_TABLE
    for byte in data:
        state = (state & 0xFFFF) << 8 ^ table[state >> 16 ^ byte]
    return state
