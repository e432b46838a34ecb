import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecodec.entropy import coder
from vaecodec.entropy.coder import SymbolDecoder, SymbolEncoder, decode_symbols, encode_symbols
from vaecodec.entropy.reference import ReferenceDecoder, ReferenceEncoder, shortest_string
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.errors import BadField, FormatError, NotCanonical

LOW, HIGH = -(2**31), 2**31 - 1
SEEDS = st.integers(0, 2**32)


def random_tables(rng: np.random.Generator, n: int, a: int, concentration: float, coded: float = 1.0) -> CodingTables:
    counts = counts_from_probabilities(rng.gamma(concentration, size=(n, a)) + 1e-300)
    ends = np.array([LOW, 0, HIGH - a + 2])
    offsets = np.where(rng.random(n) < 0.2, rng.choice(ends, n), rng.integers(-50, 50, n))
    return CodingTables(offsets.astype(np.int32), counts.reshape(n, a), rng.random(n) < coded)


def likely_symbols(rng: np.random.Generator, tables: CodingTables, outside: float = 0.0) -> np.ndarray:
    p = tables.counts[:, :-1] / tables.counts[:, :-1].sum(axis=1, keepdims=True)
    columns = (rng.random((tables.n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, tables.alphabet - 2)
    symbols = tables.offsets.astype(np.int64) + columns
    near = tables.offsets.astype(np.int64) + rng.integers(-4, tables.alphabet + 4, tables.n)
    anything = rng.choice([LOW, HIGH, 0, int(rng.integers(LOW, HIGH))], tables.n)
    other = np.where(rng.random(tables.n) < 0.5, near, anything)
    symbols = np.where(rng.random(tables.n) < outside, other, symbols).clip(LOW, HIGH)
    return tables.fill_collapsed(symbols.astype(np.int32))


@st.composite
def messages(draw: st.DrawFn, max_groups: int = 4) -> list[tuple[np.ndarray, CodingTables]]:
    rng = np.random.default_rng(draw(SEEDS))
    groups = []
    for _ in range(draw(st.integers(0, max_groups))):
        n, a = draw(st.integers(0, 12)), draw(st.integers(2, 20))
        concentration, coded = draw(st.sampled_from([0.003, 0.1, 1, 20])), draw(st.sampled_from([0, 0.5, 1, 1]))
        tables = random_tables(rng, n, a, concentration, coded)
        groups.append((likely_symbols(rng, tables, draw(st.sampled_from([0, 0.1, 1]))), tables))
    return groups


def encode_groups(groups: list[tuple[np.ndarray, CodingTables]], backend: object = None) -> bytes:
    encoder = SymbolEncoder(backend)  # type: ignore[arg-type]
    for symbols, tables in groups:
        encoder.encode(symbols, tables)
    return encoder.finish()


def assert_decodes(payload: bytes, groups: list[tuple[np.ndarray, CodingTables]], backend: object = None) -> None:
    decoder = SymbolDecoder(payload, backend)  # type: ignore[arg-type]
    for symbols, tables in groups:
        decoded = decoder.decode(tables)
        assert decoded.dtype == np.int32
        assert decoded.tolist() == symbols.tolist()
    decoder.finish()


@settings(max_examples=400, deadline=None)
@given(messages())
def test_decode_inverts_encode(groups: list[tuple[np.ndarray, CodingTables]]) -> None:
    assert_decodes(encode_groups(groups), groups)


@settings(max_examples=400, deadline=None)
@given(messages())
def test_the_reference_writes_and_reads_the_same_bytes(groups: list[tuple[np.ndarray, CodingTables]]) -> None:
    payload = encode_groups(groups)
    assert encode_groups(groups, ReferenceEncoder()) == payload
    assert_decodes(payload, groups, ReferenceDecoder(payload))


@pytest.mark.parametrize("tail", [b"\xff" * 40, b"\xff" * 11 + b"\x37", b"\xff" * 12, bytes(40) + b"\x01"])
@pytest.mark.parametrize("seed", range(6))
def test_carries_through_many_words_are_the_same_in_both(tail: bytes, seed: int) -> None:
    # Symbols read from just below (or above) a round number keep the interval astride of it for as many words.
    rng = np.random.default_rng(seed)
    tables = random_tables(rng, 90, 4, 1.0)
    tables = CodingTables(tables.offsets, tables.counts, tables.coded)
    columns = ReferenceDecoder(bytes([0x50 + seed]) + tail + rng.bytes(60)).decode_columns(tables)
    symbols = (tables.offsets.astype(np.int64) + columns).clip(LOW, HIGH).astype(np.int32)
    payload = encode_symbols(symbols, tables)
    assert encode_groups([(symbols, tables)], ReferenceEncoder()) == payload
    assert_decodes(payload, [(symbols, tables)])
    assert_decodes(payload, [(symbols, tables)], ReferenceDecoder(payload))


def test_a_long_group_is_the_same_in_both() -> None:
    rng = np.random.default_rng(5)
    tables = random_tables(rng, 20_000, 6, 0.5)
    symbols = likely_symbols(rng, tables, 0.01)
    payload = encode_symbols(symbols, tables)
    assert encode_groups([(symbols, tables)], ReferenceEncoder()) == payload
    assert_decodes(payload, [(symbols, tables)])
    assert 8 * len(payload) < tables.information_bits(symbols[None])[0] * 1.0005 + 12


def test_no_symbols_are_no_bytes() -> None:
    rng = np.random.default_rng(0)
    for tables in (random_tables(rng, 0, 3, 1), random_tables(rng, 5, 3, 1, coded=0)):
        assert encode_symbols(tables.offsets.copy(), tables) == b""
        assert decode_symbols(b"", tables).tolist() == tables.offsets.tolist()
        with pytest.raises(NotCanonical):
            decode_symbols(b"\x01", tables)


@pytest.mark.parametrize("symbol", [0, 1, 2, 3, -1, HIGH, LOW, 12345])
def test_one_symbol_survives(symbol: int) -> None:
    tables = CodingTables(np.zeros(1, np.int32), counts_from_probabilities(np.ones((1, 4))), np.ones(1, bool))
    symbols = np.array([symbol], np.int32)
    assert_decodes(encode_symbols(symbols, tables), [(symbols, tables)])


def test_decoded_symbols_are_the_callers_to_change() -> None:
    tables = random_tables(np.random.default_rng(0), 8, 5, 1)
    payload = encode_symbols(tables.offsets + np.int32(1), tables)
    decoder = SymbolDecoder(payload)
    decoder.decode(tables)[:] = 99
    decoder.finish()


@settings(max_examples=200, deadline=None)
@given(messages(max_groups=3))
def test_a_payload_is_its_information_and_at_most_12_bits(groups: list[tuple[np.ndarray, CodingTables]]) -> None:
    information_bits = sum(float(tables.information_bits(symbols[None])[0]) for symbols, tables in groups)
    assert 8 * len(encode_groups(groups)) <= information_bits + 12


def test_the_ending_costs_less_than_four_bits_on_average() -> None:
    rng = np.random.default_rng(0)
    overhead_bits = []
    for _ in range(300):
        tables = random_tables(rng, 30, 17, 0.3)
        symbols = likely_symbols(rng, tables)
        overhead_bits.append(8 * len(encode_symbols(symbols, tables)) - tables.information_bits(symbols[None])[0])
    assert 1 < np.mean(overhead_bits) < 4


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=40), SEEDS, st.sampled_from([0.01, 1, 50]))
def test_any_bytes_are_a_format_error_or_canonical(payload: bytes, seed: int, concentration: float) -> None:
    rng = np.random.default_rng(seed)
    tables = random_tables(rng, int(rng.integers(0, 20)), int(rng.integers(2, 30)), concentration, 0.8)
    outcomes = []
    for backend in (None, ReferenceDecoder(payload)):
        decoder = SymbolDecoder(payload, backend)
        try:
            symbols = decoder.decode(tables)
            decoder.finish()
        except FormatError as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append(symbols.tolist())
            assert encode_symbols(symbols, tables) == payload
    assert outcomes[0] == outcomes[1]


@settings(max_examples=150, deadline=None)
@given(messages(max_groups=2), st.data())
def test_any_other_payload_of_the_same_symbols_is_refused(
    groups: list[tuple[np.ndarray, CodingTables]], data: st.DataObject
) -> None:
    payload = encode_groups(groups)
    others = {payload + b"\0", payload + b"\x80", payload + data.draw(st.binary(min_size=1, max_size=9))}
    others |= {payload[:cut] for cut in range(len(payload))}
    if payload:
        others |= {payload[:-1] + bytes([last]) for last in range(256)}
    for other in others - {payload}:
        decoder = SymbolDecoder(other)
        try:
            decoded = [decoder.decode(tables).tolist() for _, tables in groups]
            decoder.finish()
        except FormatError:
            continue
        assert decoded != [symbols.tolist() for symbols, _ in groups]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**96 - 1), st.integers(1, 2**64))
def test_the_ending_is_the_shortest_and_the_smallest(low: int, range_: int) -> None:
    range_ = min(range_, 2**96 - low)
    found = shortest_string(low, range_, 96)
    for length in range(13):
        step = 1 << 96 - 8 * length
        smallest = -(-low // step)
        if smallest * step < low + range_:
            assert found == smallest.to_bytes(length, "big")
            return
    pytest.fail("12 bytes spell every number of 96 bits")


def test_a_number_outside_every_interval_is_not_canonical() -> None:
    tables = random_tables(np.random.default_rng(0), 4, 5, 1)
    for backend in (None, ReferenceDecoder(b"\xff" * 8)):
        with pytest.raises(NotCanonical, match="outside"):
            SymbolDecoder(b"\xff" * 8, backend).decode(tables)


@st.composite
def column_groups(draw: st.DrawFn) -> list[tuple[np.ndarray, np.ndarray]]:
    """Columns and their counts, some of them improbable to the last."""
    rng = np.random.default_rng(draw(SEEDS))
    groups = []
    for _ in range(draw(st.integers(0, 4))):
        r, a = draw(st.integers(0, 12)), draw(st.sampled_from([2, 3, 17, 255]))
        counts = counts_from_probabilities(rng.gamma(draw(st.sampled_from([0.003, 1])), size=(r, a)) + 1e-300)
        groups.append((rng.integers(0, a, r).astype(np.int32), counts.reshape(r, a).astype(np.float64)))
    return groups


@settings(max_examples=200, deadline=None)
@given(column_groups(), messages(max_groups=1))
def test_columns_with_counts_of_their_own_are_coded_alike_by_both(
    groups: list[tuple[np.ndarray, np.ndarray]], before: list[tuple[np.ndarray, CodingTables]]
) -> None:
    payloads = []
    for backend in (None, ReferenceEncoder()):
        encoder = SymbolEncoder(backend)
        for symbols, tables in before:
            encoder.encode(symbols, tables)
        for columns, counts in groups:
            encoder.encode_columns(columns, counts)
        payloads.append(encoder.finish())
    assert payloads[0] == payloads[1]
    for reading in (None, ReferenceDecoder(payloads[0])):
        decoder = SymbolDecoder(payloads[0], reading)
        for symbols, tables in before:
            assert decoder.decode(tables).tolist() == symbols.tolist()
        for columns, counts in groups:
            decoded = decoder.decode_columns(counts)
            assert decoded.dtype == np.int32
            assert decoded.tolist() == columns.tolist()
        decoder.finish()


def test_columns_of_a_payload_that_spells_another_number_are_not_canonical() -> None:
    counts = np.full((3, 4), 2.0**22)
    decoder = SymbolDecoder(b"\x12\x34\x56\x78\x9a")
    decoder.decode_columns(counts)
    with pytest.raises(NotCanonical):
        decoder.finish()


def escape_payload(bits: list[int], offset: int = 0) -> tuple[bytes, CodingTables]:
    tables = CodingTables(np.array([offset], np.int32), counts_from_probabilities(np.ones((1, 2))), np.ones(1, bool))
    encoder = ReferenceEncoder()
    encoder.encode_columns(np.array([1], np.int32), tables)
    encoder.encode_bits(bits)
    return encoder.finish(), tables


def test_an_escape_value_of_too_many_bits_is_a_bad_field() -> None:
    payload, tables = escape_payload([0] * 34 + [1] * 35)
    with pytest.raises(BadField, match="34 bits"):
        decode_symbols(payload, tables)


def test_an_escape_value_beyond_int32_is_a_bad_field() -> None:
    for value in (2 * (2**31 - 1), 2 * 2**31 + 1):
        bits = [0] * (value.bit_length() - 1) + [int(digit) for digit in f"{value + 1:b}"]
        payload, tables = escape_payload(bits)
        with pytest.raises(BadField, match="beyond int32"):
            decode_symbols(payload, tables)


def test_symbols_that_do_not_fit_the_tables_are_a_bad_field() -> None:
    tables = random_tables(np.random.default_rng(0), 4, 5, 1)
    for symbols in (np.zeros(3, np.int32), np.zeros((1, 4), np.int32), np.zeros(4, np.int64)):
        with pytest.raises(BadField, match="symbols"):
            encode_symbols(symbols, tables)


def test_a_collapsed_latent_with_another_symbol_is_a_bad_field() -> None:
    counts = counts_from_probabilities(np.ones((2, 4)))
    tables = CodingTables(np.zeros(2, np.int32), counts, np.array([False, True]))
    with pytest.raises(BadField, match="collapsed"):
        encode_symbols(np.array([1, 0], np.int32), tables)


def test_the_bytes_are_golden() -> None:
    counts = counts_from_probabilities(np.array([[1, 2, 4, 2, 1], [1, 1, 1, 1, 4], [9, 1, 1, 1, 1]]))
    tables = CodingTables(np.array([-2, 0, 7], np.int32), counts, np.ones(3, bool))
    goldens = {
        (0, 1, 7): "5a",
        (-2, 3, 10): "0c4f",
        (5, -1, 7): "f536",
        (HIGH, LOW, 0): "ff03f03c0f664ad4f628000000fc0000001c",
    }
    for symbols, golden in goldens.items():
        assert encode_symbols(np.array(symbols, np.int32), tables).hex() == golden


def test_without_constriction_the_reference_takes_over() -> None:
    script = """
import sys
sys.modules["constriction"] = None
import numpy as np
from vaecodec.entropy import coder
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
tables = CodingTables(np.array([-2], np.int32), counts_from_probabilities(np.ones((1, 5))), np.ones(1, bool))
assert coder.make_encoder is coder.ReferenceEncoder
payload = coder.encode_symbols(np.array([77], np.int32), tables)
assert coder.decode_symbols(payload, tables).tolist() == [77]
print(payload.hex())
"""
    tables = CodingTables(np.array([-2], np.int32), counts_from_probabilities(np.ones((1, 5))), np.ones(1, bool))
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == encode_symbols(np.array([77], np.int32), tables).hex()


def test_constriction_is_what_runs_where_it_is_installed() -> None:
    pytest.importorskip("constriction")
    assert coder.make_encoder is coder.ConstrictionEncoder


@pytest.mark.parametrize("seed", range(6))
def test_an_ending_leaves_few_bytes_of_a_number_out_and_a_payload_that_ended_ever_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = counts_from_probabilities(rng.gamma(1.0, size=(300, 9)) + 0.1)
    tables = CodingTables(np.full(300, -4, np.int32), counts, np.ones(300, np.bool_))
    symbols = rng.integers(-4, 4, 300).astype(np.int32)
    for backend in (None, ReferenceEncoder()):
        encoder = SymbolEncoder(backend)
        encoder.encode(symbols, tables)
        payload = encoder.finish()
        assert 0 <= encoder.number_bytes - len(payload) < 16
    for backend in (None, ReferenceDecoder(payload)):
        decoder, filled = SymbolDecoder(payload, backend), []
        for _ in range(4):  # the last three find symbols in the zeros after the payload
            decoder.decode(tables)
            filled.append(decoder.filled_bytes)
        assert filled[0] == encoder.number_bytes - len(payload)
        assert filled == sorted(filled)
        assert filled[3] > 100
