"""The symbol coder: int32 symbols and coding tables in, payload out. The only importer of constriction.

    symbols (n,) --minus offsets--> columns (n,) --range coder--> payload, the shortest string that decodes
                                    escape values --bits, after their group--^

A stream may hold many groups: `encode` (and `decode`) is called once for each, in the same order. Where constriction
does not import, the pure-Python twin in entropy/reference.py does the same, byte for byte.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.reference import STATE_BITS, WORD_BITS, ReferenceDecoder, ReferenceEncoder, shortest_string
from vaecodec.entropy.tables import CodingTables, Int32, escape_values
from vaecodec.errors import BadField, NotCanonical

try:
    import constriction
except ImportError:  # no wheel for this platform
    constriction = None

MAX_ESCAPE_BITS = 33  # an escape value, plus one, has 34 bits at most: twice the distance of two int32
_INT32_MIN, _INT32_MAX = -(1 << 31), (1 << 31) - 1


class EncoderBackend(Protocol):
    """A range coder that takes columns and counts."""

    def encode_columns(self, columns: Int32, tables: CodingTables) -> None: ...
    def encode_bits(self, bits: list[int]) -> None: ...
    def finish(self) -> bytes: ...


class DecoderBackend(Protocol):
    """The inverse of EncoderBackend."""

    def decode_columns(self, tables: CodingTables) -> Int32: ...
    def decode_bit(self) -> int: ...


if constriction is not None:
    _QUEUE = constriction.stream.queue
    # perfect=False is the only mode whose probabilities follow from the counts alone, exactly.
    _FAMILY = constriction.stream.model.Categorical(perfect=False)
    _BIT = constriction.stream.model.Uniform(2)


def _family_matrix(tables: CodingTables) -> npt.NDArray[np.float64]:
    """Counts less one: `perfect=False` adds one back to each and scales by exactly 1."""
    matrix: npt.NDArray[np.float64] | None = tables._backend_cache.get("constriction")
    if matrix is None:
        matrix = np.ascontiguousarray(tables.counts[tables.coded], dtype=np.float64) - 1.0
        tables._backend_cache["constriction"] = matrix
    return matrix


class ConstrictionEncoder:
    """EncoderBackend over constriction's RangeEncoder, with an ending of our own: 2.7 bits where its own costs 17."""

    def __init__(self) -> None:
        self._encoder: Any = _QUEUE.RangeEncoder()

    def encode_columns(self, columns: Int32, tables: CodingTables) -> None:
        self._encoder.encode(columns, _FAMILY, _family_matrix(tables))

    def encode_bits(self, bits: list[int]) -> None:
        self._encoder.encode(np.array(bits, dtype=np.int32), _BIT)

    def finish(self) -> bytes:
        position, (low, range_) = self._encoder.pos()
        words = self._encoder.get_compressed()
        total_bits = WORD_BITS * position + STATE_BITS
        # constriction's own ending lies inside the interval, so the interval's low end is the nearest number below
        # with the low word pair that `pos` tells.
        inside = int.from_bytes(words.astype(">u4").tobytes(), "big") << (total_bits - WORD_BITS * len(words))
        return shortest_string(inside - ((inside - low) & ((1 << STATE_BITS) - 1)), range_, total_bits)


class ConstrictionDecoder:
    """DecoderBackend over constriction's RangeDecoder, which reads zeros after the end, as the format wants."""

    def __init__(self, payload: bytes) -> None:
        padded = payload + bytes(-len(payload) % 4)
        self._decoder: Any = _QUEUE.RangeDecoder(np.frombuffer(padded, dtype=">u4").astype(np.uint32))

    def decode_columns(self, tables: CodingTables) -> Int32:
        try:
            return self._decoder.decode(_FAMILY, _family_matrix(tables))  # type: ignore[no-any-return]
        except AssertionError as error:  # how constriction reports a number outside every interval
            raise NotCanonical("payload: spells a number outside every symbol's interval") from error

    def decode_bit(self) -> int:
        try:
            return self._decoder.decode(_BIT)  # type: ignore[no-any-return]
        except AssertionError as error:
            raise NotCanonical("payload: spells a number outside every symbol's interval") from error


make_encoder: Callable[[], EncoderBackend] = ReferenceEncoder if constriction is None else ConstrictionEncoder
make_decoder: Callable[[bytes], DecoderBackend] = ReferenceDecoder if constriction is None else ConstrictionDecoder


def _gamma_bits(values: list[int]) -> list[int]:
    """Elias gamma code of each value + 1: as many zeros as bits follow its leading one, then it, high bit first."""
    bits: list[int] = []
    for value in values:
        digits = bin(value + 1)[2:]
        bits += [0] * (len(digits) - 1)
        bits += map(int, digits)
    return bits


def _escaped_symbol(value: int, first: int, width: int) -> int:
    """The inverse of tables.escape_values."""
    distance, below = divmod(value, 2)
    symbol = first - 1 - distance if below else first + width + distance
    if not _INT32_MIN <= symbol <= _INT32_MAX:
        raise BadField(f"escape value: symbol {symbol} is beyond int32")
    return symbol


class SymbolEncoder:
    """Encodes groups of symbols into one payload; `backend` is for tests."""

    __slots__ = ("_backend",)

    def __init__(self, backend: EncoderBackend | None = None) -> None:
        self._backend = make_encoder() if backend is None else backend

    def encode(self, symbols: Int32, tables: CodingTables) -> None:
        """Append symbols (n,), any int32. Raises BadField for a shape or dtype that is not the tables', or a
        collapsed latent with another symbol than its own (see CodingTables.fill_collapsed)."""
        if symbols.shape != tables.offsets.shape or symbols.dtype != np.int32:
            raise BadField(f"symbols: expected int32 ({tables.n},), found {symbols.dtype} {symbols.shape}")
        rows = tables.coded_rows
        offsets = tables.offsets
        if rows is not None:
            if not np.array_equal(tables.fill_collapsed(symbols), symbols):
                raise BadField("symbols: a collapsed latent has another symbol than its own")
            symbols, offsets = symbols[rows], tables.coded_offsets
        if len(symbols) == 0:
            return
        # Modulo 2**32, every symbol outside the table has a column beyond it (checked by CodingTables).
        columns = symbols - offsets
        escape = tables.alphabet - 1
        if np.maximum.reduce(columns.view(np.uint32)) < escape:
            self._backend.encode_columns(columns, tables)
            return
        outside = columns.view(np.uint32) >= escape
        columns[outside] = escape
        self._backend.encode_columns(columns, tables)
        values = escape_values(symbols[outside], offsets[outside], escape)
        self._backend.encode_bits(_gamma_bits(values.tolist()))

    def finish(self) -> bytes:
        """The payload: the shortest string that decodes to what was encoded, the smallest of these."""
        return self._backend.finish()


class SymbolDecoder:
    """Decodes groups of symbols from a payload; any bytes give symbols or a FormatError, and `finish` decides."""

    __slots__ = ("_backend", "_decoded", "_payload")

    def __init__(self, payload: bytes, backend: DecoderBackend | None = None) -> None:
        self._payload = bytes(payload)
        self._backend = make_decoder(self._payload) if backend is None else backend
        self._decoded: list[tuple[CodingTables, Int32, list[int]]] = []

    def decode(self, tables: CodingTables) -> Int32:
        """The next group's symbols (n,). Raises NotCanonical, BadField."""
        rows = tables.coded_rows
        if rows is None and tables.n:
            symbols = self._decode_coded(tables, tables.offsets)
        else:
            symbols = tables.offsets.copy()
            if rows is not None and len(rows):
                symbols[rows] = self._decode_coded(tables, tables.coded_offsets)
        return symbols

    def _decode_coded(self, tables: CodingTables, offsets: Int32) -> Int32:
        columns = self._backend.decode_columns(tables)
        escape = tables.alphabet - 1
        symbols = columns + offsets
        values: list[int] = []
        if np.maximum.reduce(columns) == escape:
            for i in np.flatnonzero(columns == escape).tolist():
                values.append(self._decode_escape_value())
                symbols[i] = _escaped_symbol(values[-1], int(offsets[i]), escape)
        self._decoded.append((tables, columns, values))
        return symbols

    def _decode_escape_value(self) -> int:
        bits = 0
        while not self._backend.decode_bit():
            bits += 1
            if bits > MAX_ESCAPE_BITS:
                raise BadField(f"escape value: more than {MAX_ESCAPE_BITS + 1} bits")
        value = 1
        for _ in range(bits):
            value = value << 1 | self._backend.decode_bit()
        return value - 1

    def finish(self) -> None:
        """Check that an encoder, given what was decoded, writes this very payload. Raises NotCanonical."""
        encoder = make_encoder()
        for tables, columns, values in self._decoded:
            encoder.encode_columns(columns, tables)
            if values:
                encoder.encode_bits(_gamma_bits(values))
        again = encoder.finish()
        if again != self._payload:
            raise NotCanonical(f"payload: has {len(self._payload)} bytes, but its symbols encode to other {len(again)}")


def encode_symbols(symbols: Int32, tables: CodingTables) -> bytes:
    """The payload of one group, symbols (n,)."""
    encoder = SymbolEncoder()
    encoder.encode(symbols, tables)
    return encoder.finish()


def decode_symbols(payload: bytes, tables: CodingTables) -> Int32:
    """The symbols (n,) of a payload of one group. Raises NotCanonical, BadField."""
    decoder = SymbolDecoder(payload)
    symbols = decoder.decode(tables)
    decoder.finish()
    return symbols
