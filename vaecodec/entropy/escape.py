"""Escape values as bits: what follows a symbol that lies outside its table (tables.escape_values numbers them).

value 0, 1, 2, 3 … ──Elias gamma code of value + 1──> 1, 010, 011, 00100 …
"""

from collections.abc import Callable

from vaecodec.bitstream.limits import MAX_ESCAPE_BITS
from vaecodec.errors import BadField

_INT32_MIN, _INT32_MAX = -(1 << 31), (1 << 31) - 1


def gamma_bits(values: list[int]) -> list[int]:
    """Elias gamma code of each value + 1: as many zeros as bits follow its leading one, then it, high bit first."""
    bits: list[int] = []
    for value in values:
        digits = bin(value + 1)[2:]
        bits += [0] * (len(digits) - 1)
        bits += map(int, digits)
    return bits


def read_gamma(next_bit: Callable[[], int]) -> int:
    """The value of the next gamma code. Raises BadField for one that no symbol has."""
    bits = 0
    while not next_bit():
        bits += 1
        if bits > MAX_ESCAPE_BITS:
            raise BadField(f"escape value: more than {MAX_ESCAPE_BITS + 1} bits")
    value = 1
    for _ in range(bits):
        value = value << 1 | next_bit()
    return value - 1


def escaped_symbol(value: int, first: int, width: int) -> int:
    """The inverse of tables.escape_values. Raises BadField for a symbol beyond int32."""
    distance, below = divmod(value, 2)
    symbol = first - 1 - distance if below else first + width + distance
    if not _INT32_MIN <= symbol <= _INT32_MAX:
        raise BadField(f"escape value: symbol {symbol} is beyond int32")
    return symbol
