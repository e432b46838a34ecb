"""Lanes write and read what the coder writes and reads, payload by payload; what they are not sure of, it decides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecodec.entropy import lanes
from vaecodec.entropy.coder import decode_symbols, encode_symbols
from vaecodec.entropy.lanes import decode_lanes, encode_lanes
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.errors import BadField, FormatError

SEEDS = st.integers(0, 2**32)


def make_tables(rng: np.random.Generator, n: int, a: int, concentration: float, coded: float) -> CodingTables:
    counts = counts_from_probabilities(rng.gamma(concentration, size=(n, a)) + 1e-300).reshape(n, a)
    return CodingTables(rng.integers(-50, 50, n).astype(np.int32), counts, rng.random(n) < coded)


def draw_symbols(rng: np.random.Generator, tables: CodingTables, lanes: int, escapes: float) -> np.ndarray:
    p = tables.counts / tables.counts.sum(axis=1, keepdims=True)
    columns = (rng.random((lanes, tables.n, 1)) > p.cumsum(axis=1)).sum(axis=2)
    columns = np.where(rng.random(columns.shape) < 0.1, rng.integers(0, tables.alphabet, columns.shape), columns)
    columns = columns.clip(0, tables.alphabet - 2)
    columns = np.where(rng.random(columns.shape) < escapes, tables.alphabet + rng.integers(0, 99), columns)
    return tables.fill_collapsed((columns + tables.offsets).astype(np.int32))


@st.composite
def messages(draw: st.DrawFn) -> tuple[np.ndarray, CodingTables]:
    rng = np.random.default_rng(draw(SEEDS))
    n, a, count = draw(st.integers(0, 30)), draw(st.integers(2, 20)), draw(st.sampled_from([0, 1, 2, 40]))
    concentration, coded = draw(st.sampled_from([0.003, 0.1, 1, 20])), draw(st.sampled_from([0, 0.5, 1, 1]))
    tables = make_tables(rng, n, a, concentration, coded)
    return draw_symbols(rng, tables, count, draw(st.sampled_from([0, 0, 0.02]))), tables


@settings(max_examples=200, deadline=None)
@given(messages())
def test_lanes_write_the_coders_bytes_and_read_them(message: tuple[np.ndarray, CodingTables]) -> None:
    symbols, tables = message
    payloads = encode_lanes(symbols, tables)
    assert payloads == [encode_symbols(row, tables) for row in symbols]
    decoded, sure = decode_lanes(payloads, tables)
    assert np.array_equal(decoded[sure], symbols[sure])
    inside = symbols - tables.offsets < tables.alphabet - 1
    assert sure.tolist() == inside.all(axis=1, where=tables.coded).tolist()


@settings(max_examples=300, deadline=None)
@given(messages(), SEEDS, st.sampled_from([b"", b"\0", b"\x01", b"\xff" * 9]))
def test_damaged_payloads_are_sure_only_where_the_coder_takes_them(
    message: tuple[np.ndarray, CodingTables], seed: int, tail: bytes
) -> None:
    symbols, tables = message
    rng = np.random.default_rng(seed)
    payloads = []
    for payload in encode_lanes(symbols, tables):
        damaged = bytearray(payload + tail)
        for _ in range(rng.integers(0, 3)):
            if damaged:
                damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        payloads.append(bytes(damaged[: rng.integers(len(damaged) + 1)] if rng.random() < 0.3 else damaged))
    payloads += [rng.bytes(rng.integers(0, 20)) for _ in range(20)]
    decoded, sure = decode_lanes(payloads, tables)
    for payload, row, certain in zip(payloads, decoded, sure, strict=True):
        try:
            expected = decode_symbols(payload, tables)
        except FormatError:
            assert not certain
            continue
        columns = expected - tables.offsets
        escaped = ((columns < 0) | (columns >= tables.alphabet - 1))[tables.coded].any()
        assert certain == (not escaped)
        if certain:
            assert np.array_equal(row, expected)


def test_carries_run_through_words_of_ones() -> None:
    # The last column's interval, all but 2^-24 of the whole, keeps the low end below a border that then is crossed.
    counts = np.array([[1, 2**24 - 2, 1]] * 40, np.uint32)
    tables = CodingTables(np.zeros(40, np.int32), counts, np.ones(40, np.bool_))
    rng = np.random.default_rng(1)
    symbols = rng.choice(np.array([0, 1], np.int32), (500, 40), p=[0.6, 0.4])
    symbols[:250, :20] = 1
    payloads = encode_lanes(symbols, tables)
    assert payloads == [encode_symbols(row, tables) for row in symbols]
    assert decode_lanes(payloads, tables)[1].all()


def test_more_lanes_than_are_coded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    tables = make_tables(rng, 9, 12, 1, 1)
    symbols = draw_symbols(rng, tables, 50, 0.01)
    payloads = encode_lanes(symbols, tables)
    monkeypatch.setattr(lanes, "MAX_LANES", 7)
    assert encode_lanes(symbols, tables) == payloads
    decoded, sure = decode_lanes(payloads, tables)
    assert np.array_equal(decoded[sure], symbols[sure])
    assert sure.sum() > 25


def test_a_payload_far_too_long_is_not_sure_and_takes_no_memory() -> None:
    tables = make_tables(np.random.default_rng(3), 4, 5, 1, 1)
    assert decode_lanes([bytes(1 << 20), b"\x80"], tables)[1].tolist()[0] is False


def test_symbols_that_the_coder_refuses_are_refused() -> None:
    tables = make_tables(np.random.default_rng(4), 6, 5, 1, 0)
    wrong = tables.offsets[None] + 1
    for symbols in (wrong, wrong[0], wrong[:, :3], wrong.astype(np.int64)):
        with pytest.raises(BadField):
            encode_lanes(symbols, tables)
