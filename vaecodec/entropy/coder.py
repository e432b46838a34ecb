"""The symbol coder: int32 symbols and coding tables in, payload out. The only importer of constriction.

    symbols (n,) --minus offsets--> columns (n,) --range coder--> payload, the shortest string that decodes
                                    escape values --bits, after their group--^
    columns (r,) and their counts (r, a) --------range coder------^

A stream may hold many groups: `encode` or `encode_columns` (and `decode` or `decode_columns`) is called once for each,
in the same order. Where constriction does not import, the pure-Python twin in entropy/reference.py does the same, byte
for byte.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from vaecodec.entropy.escape import escaped_symbol, gamma_bits, read_gamma
from vaecodec.entropy.reference import STATE_BITS, WORD_BITS, ReferenceDecoder, ReferenceEncoder, shortest_string
from vaecodec.entropy.tables import CodingTables, Float64, Int32, escape_values
from vaecodec.errors import BadField, NotCanonical

try:
    import constriction
except ImportError:  # no wheel for this platform
    constriction = None


class EncoderBackend(Protocol):
    """A range coder that takes columns and counts."""

    def encode_columns(self, columns: Int32, tables: CodingTables) -> None: ...
    def encode_alike(self, columns: Int32, table: CodingTables) -> None: ...
    def encode_counts(self, columns: Int32, counts: Float64) -> None: ...
    def encode_bits(self, bits: list[int]) -> None: ...
    def words(self) -> int: ...
    def finish(self) -> bytes: ...


class DecoderBackend(Protocol):
    """The inverse of EncoderBackend."""

    def decode_columns(self, tables: CodingTables) -> Int32: ...
    def decode_alike(self, count: int, table: CodingTables) -> Int32: ...
    def decode_counts(self, counts: Float64) -> Int32: ...
    def decode_bit(self) -> int: ...


if constriction is not None:
    _QUEUE = constriction.stream.queue
    # perfect=False is the only mode whose probabilities follow from the counts alone, exactly.
    _FAMILY = constriction.stream.model.Categorical(perfect=False)
    _BIT = constriction.stream.model.Uniform(2)


def _family_matrix(tables: CodingTables) -> Float64:
    """Counts less one: `perfect=False` adds one back to each and scales by exactly 1."""
    matrix: Float64 | None = tables._backend_cache.get("constriction")
    if matrix is None:
        matrix = np.ascontiguousarray(tables.counts[tables.coded], dtype=np.float64) - 1.0
        tables._backend_cache["constriction"] = matrix
    return matrix


def _one_model(table: CodingTables) -> Any:
    """The distribution of a table of one row, made once."""
    model = table._backend_cache.get("constriction, one")
    if model is None:
        model = constriction.stream.model.Categorical(_family_matrix(table)[0], perfect=False)
        table._backend_cache["constriction, one"] = model
    return model


class ConstrictionEncoder:
    """EncoderBackend over constriction's RangeEncoder, with an ending of our own: 2.7 bits where its own costs 17."""

    def __init__(self) -> None:
        self._encoder: Any = _QUEUE.RangeEncoder()

    def encode_columns(self, columns: Int32, tables: CodingTables) -> None:
        self._encoder.encode(columns, _FAMILY, _family_matrix(tables))

    def encode_alike(self, columns: Int32, table: CodingTables) -> None:
        self._encoder.encode(columns, _one_model(table))

    def encode_counts(self, columns: Int32, counts: Float64) -> None:
        self._encoder.encode(columns, _FAMILY, counts - 1.0)

    def encode_bits(self, bits: list[int]) -> None:
        self._encoder.encode(np.array(bits, dtype=np.int32), _BIT)

    def words(self) -> int:
        position: int = self._encoder.pos()[0]
        return position

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
        return self._decode(_FAMILY, _family_matrix(tables))  # type: ignore[no-any-return]

    def decode_alike(self, count: int, table: CodingTables) -> Int32:
        return self._decode(_one_model(table), count)  # type: ignore[no-any-return]

    def decode_counts(self, counts: Float64) -> Int32:
        return self._decode(_FAMILY, counts - 1.0)  # type: ignore[no-any-return]

    def decode_bit(self) -> int:
        return self._decode(_BIT)  # type: ignore[no-any-return]

    def _decode(self, *model: Any) -> Any:
        try:
            return self._decoder.decode(*model)
        except AssertionError as error:  # how constriction reports a number outside every interval
            raise NotCanonical("payload: spells a number outside every symbol's interval") from error


make_encoder: Callable[[], EncoderBackend] = ReferenceEncoder if constriction is None else ConstrictionEncoder
make_decoder: Callable[[bytes], DecoderBackend] = ReferenceDecoder if constriction is None else ConstrictionDecoder


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
        self._backend.encode_bits(gamma_bits(values.tolist()))

    def encode_alike(self, symbols: Int32, table: CodingTables) -> None:
        """Append symbols (n,), any int32, that all have the one coded row of a table."""
        escape, offset = table.alphabet - 1, int(table.offsets[0])
        columns = symbols - offset
        outside = columns.view(np.uint32) >= escape
        columns[outside] = escape
        self._backend.encode_alike(columns, table)
        if outside.any():
            values = escape_values(symbols[outside], table.offsets, escape)
            self._backend.encode_bits(gamma_bits(values.tolist()))

    def encode_columns(self, columns: Int32, counts: Float64) -> None:
        """Append columns (r,) of r distributions that are no latents': counts (r, a), whole numbers of at least 1
        whose rows sum to 2^24."""
        if len(columns):
            self._backend.encode_counts(columns, counts)

    @property
    def number_bytes(self) -> int:
        """Bytes of the number that spells what was encoded, the zero bytes at its end included."""
        return _number_bytes(self._backend)

    def finish(self) -> bytes:
        """The payload: the shortest string that decodes to what was encoded, the smallest of these."""
        return self._backend.finish()


class SymbolDecoder:
    """Decodes groups of symbols from a payload; any bytes give symbols or a FormatError, and `finish` decides.

    What is decoded is encoded again at once: payloads of images are too long to keep their distributions until then.
    """

    __slots__ = ("_again", "_backend", "_payload")

    def __init__(self, payload: bytes, backend: DecoderBackend | None = None) -> None:
        self._payload = bytes(payload)
        self._backend = make_decoder(self._payload) if backend is None else backend
        self._again = make_encoder()

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

    def decode_columns(self, counts: Float64) -> Int32:
        """The next columns (r,), of r distributions given by their counts (r, a). Raises NotCanonical."""
        if not len(counts):
            return np.empty(0, np.int32)
        columns = self._backend.decode_counts(counts)
        self._again.encode_counts(columns, counts)
        return columns

    def decode_alike(self, count: int, table: CodingTables) -> Int32:
        """The next symbols (count,), which all have the one coded row of a table. Raises NotCanonical, BadField."""
        columns = self._backend.decode_alike(count, table)
        self._again.encode_alike(columns, table)
        return self._with_escapes(columns, np.broadcast_to(table.offsets, count), table.alphabet - 1)

    def _decode_coded(self, tables: CodingTables, offsets: Int32) -> Int32:
        columns = self._backend.decode_columns(tables)
        self._again.encode_columns(columns, tables)
        return self._with_escapes(columns, offsets, tables.alphabet - 1)

    def _with_escapes(self, columns: Int32, offsets: Int32, escape: int) -> Int32:
        """Symbols of columns; those of the last column are read from the bits that follow."""
        symbols: Int32 = columns + offsets
        if np.maximum.reduce(columns) == escape:
            for i in np.flatnonzero(columns == escape).tolist():
                value = read_gamma(self._backend.decode_bit)
                self._again.encode_bits(gamma_bits([value]))
                symbols[i] = escaped_symbol(value, int(offsets[i]), escape)
        return symbols

    @property
    def filled_bytes(self) -> int:
        """Zero bytes that stand for the end of the number that was decoded so far, where the payload has none left.

        The ending of a payload saves up to 8; more are chance, a byte with probability 1/256.
        """
        return _number_bytes(self._again) - len(self._payload)

    def finish(self) -> None:
        """Check that an encoder, given what was decoded, writes this very payload. Raises NotCanonical."""
        again = self._again.finish()
        if again != self._payload:
            raise NotCanonical(f"payload: has {len(self._payload)} bytes, but its symbols encode to other {len(again)}")


def _number_bytes(encoder: EncoderBackend) -> int:
    return (STATE_BITS + WORD_BITS * encoder.words()) // 8


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
