"""Which CRC-32 stood before bytes that are known: a block's check tells whose model it is, in one pass over the block.

    check = CRC-32 of fingerprint and record     ──the record's n bytes taken back──>     CRC-32 of the fingerprint

A CRC's register is linear over GF(2): n zero bytes make Lⁿ(x) of x, so that Lⁿ(before) = check ⊕ CRC-32 of the record
alone. L⁻ⁿ is made of L⁻¹, L⁻², L⁻⁴ …, a table of four times 256 numbers each.
"""

import zlib
from functools import lru_cache

from vaecodec.bitstream.reader import Buffer

_BITS = 32
_Tables = tuple[list[int], list[int], list[int], list[int]]


def state_before(check: int, data: Buffer) -> int:
    """The CRC-32 of what stood before `data`, where `check` is that of both together."""
    state, n, power = check ^ zlib.crc32(data), len(data), 0
    while n:
        if n & 1:
            state = _apply(_tables_back(power), state)
        n >>= 1
        power += 1
    return state


def _apply(tables: _Tables, state: int) -> int:
    a, b, c, d = tables
    return a[state & 255] ^ b[state >> 8 & 255] ^ c[state >> 16 & 255] ^ d[state >> 24]


@lru_cache(maxsize=_BITS)
def _tables_back(power: int) -> _Tables:
    """Of the map that takes 2^power zero bytes back."""
    if power == 0:
        columns = _one_byte_back()
    else:
        half = _tables_back(power - 1)
        columns = [_apply(half, _apply(half, 1 << bit)) for bit in range(_BITS)]
    return _table(columns[:8]), _table(columns[8:16]), _table(columns[16:24]), _table(columns[24:])


def _table(columns: list[int]) -> list[int]:
    """The sums (exclusive or) of every choice of eight columns."""
    sums = [0]
    for column in columns:
        sums += [one ^ column for one in sums]
    return sums


def _one_byte_back() -> list[int]:
    """What each bit of the register was, one zero byte before."""
    # Of a register that holds the byte i alone, the bytewise step gives T[i], whose highest bytes all differ.
    table = [zlib.crc32(bytes([i]), 0) ^ zlib.crc32(b"\0", 0) for i in range(256)]
    of_top = {entry >> 24: i for i, entry in enumerate(table)}
    columns = []
    for bit in range(_BITS):
        state = 1 << bit
        byte = of_top[state >> 24]
        columns.append(((state ^ table[byte]) << 8 | byte) & 0xFFFFFFFF)
    return columns
