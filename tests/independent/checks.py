"""The CRC-24 of streams (section 1) and the CRC-32 of archives (section 13)."""

import zlib

POLYNOMIAL = 0x1864CFB


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= POLYNOMIAL
        table.append(crc)
    return tuple(table)


_TABLE = _table()


def crc24(data: bytes) -> int:
    """A stream's check: that of OpenPGP, then XOR 0xFFFFFF."""
    crc = 0xB704CE
    for byte in data:
        crc = ((crc << 8) & 0xFFFFFF) ^ _TABLE[(crc >> 16) ^ byte]
    return crc ^ 0xFFFFFF


def crc32(*parts: bytes) -> int:
    """CRC-32 of the bytes of the parts, one after the other."""
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc
