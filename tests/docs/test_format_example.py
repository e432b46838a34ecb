"""docs/format.md against the code: its constants, its example, and a decoder written from its text alone."""

import re
from pathlib import Path

import numpy as np
import pytest

from vaecodec.bitstream import array_bytes, check, container, limits, picture_stream, stream, window
from vaecodec.entropy import coder, escape, reference, tables
from vaecodec.entropy.coder import encode_symbols
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.exact import known_answer
from vaecodec.exact import network as exact
from vaecodec.exact import operations as exact_ops
from vaecodec.exact import ranges as exact_ranges
from vaecodec.modelfile import levels, lossless_part
from vaecodec.modelfile import model as model_file
from vaecodec.modelfile import priors as conditional_priors

TEXT = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
MODULES = (
    *(array_bytes, check, coder, conditional_priors, container, escape, exact, exact_ops, exact_ranges),
    *(known_answer, levels, limits, lossless_part, model_file, picture_stream, reference, stream, tables),
)
FINGERPRINT = bytes(range(32))
EXAMPLE = CodingTables(
    np.array([-1, 5, 0], np.int32),
    np.array([[8388608, 4194304, 4194303, 1], [4194304] * 4, [16777213, 1, 1, 1]], np.uint32),
    np.array([True, False, True]),
)
SYMBOLS = np.array([2, 5, 4], np.int32)


def block(name: str) -> list[str]:
    found = re.search(rf"```{name}\n(.*?)```", TEXT, re.DOTALL)
    assert found, name
    return found.group(1).splitlines()


def decode_by_the_page(payload: bytes, groups: list[CodingTables]) -> list[list[int]]:
    """Sections 3 to 5 with one long number for `low`, as the page tells them; shares no code with the package."""
    low, range_, words = 0, 2**64 - 1, 0

    def column(counts: list[int]) -> int:
        nonlocal low, range_, words
        total_bits = 64 + 32 * words
        number = int.from_bytes((payload + bytes(total_bits // 8))[: total_bits // 8], "big")
        scale = range_ >> 24
        quantile = (number - low) // scale
        assert 0 <= quantile < 2**24
        start = c = 0
        while not start <= quantile < start + counts[c]:
            start += counts[c]
            c += 1
        low, range_ = low + scale * start, scale * counts[c]
        if range_ < 2**32:
            low, range_, words = low << 32, range_ << 32, words + 1
        return c

    decoded = []
    for group in groups:
        offsets, symbols, width = group.offsets.tolist(), group.offsets.tolist(), group.counts.shape[1] - 1
        coded = [i for i in range(len(offsets)) if group.coded[i]]
        columns = {i: column(group.counts[i].tolist()) for i in coded}
        for i in coded:
            symbols[i] = offsets[i] + columns[i]
            if columns[i] == width:
                k = 0
                while not column([2**23, 2**23]):
                    k += 1
                value = int("1" + "".join(str(column([2**23, 2**23])) for _ in range(k)), 2) - 1
                symbols[i] = offsets[i] + width + value // 2 if value % 2 == 0 else offsets[i] - (value + 1) // 2
        decoded.append(symbols)
    return decoded


@pytest.mark.parametrize("seed", range(40))
def test_a_decoder_written_from_the_page_reads_what_we_write(seed: int) -> None:
    rng = np.random.default_rng(seed)
    encoder, groups, sent = coder.SymbolEncoder(), [], []
    for _ in range(rng.integers(1, 4)):
        n, a = int(rng.integers(1, 12)), int(rng.integers(2, 12))
        counts = counts_from_probabilities(rng.gamma(0.2, size=(n, a)) + 1e-30)
        group = CodingTables(rng.integers(-9, 9, n).astype(np.int32), counts, rng.random(n) < 0.8)
        reach = int(rng.choice([5, 20, 2**31 - 1]))
        symbols = group.fill_collapsed(rng.integers(-reach, reach, n).astype(np.int32))
        encoder.encode(symbols, group)
        groups.append(group)
        sent.append(symbols.tolist())
    assert decode_by_the_page(encoder.finish(), groups) == sent


def test_constants_of_the_page_equal_the_codes() -> None:
    rows = dict(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| (\w+) \|", TEXT, re.MULTILINE))
    code = {name: value for module in MODULES for name, value in vars(module).items() if isinstance(value, int)}
    assert {name: int(value, 0) for name, value in rows.items()} == {name: code[name] for name in rows}
    missing = {name for name in vars(limits) if name.isupper()} - set(rows)
    assert not missing, f"limits that the page does not state: {missing}"


def test_the_pages_magic_is_the_codes() -> None:
    assert f"`{container.CONTAINER_MAGIC.hex(' ')}`" in TEXT
    assert f"`0x{stream.STREAM_MAGIC | stream.STREAM_VERSION:02X}`" in TEXT
    assert f"`0x{stream.STREAM_MAGIC | picture_stream.PICTURE_VERSION:02X}`" in TEXT
    assert f"`0x{stream.STREAM_MAGIC | stream.WINDOWED_VERSION:02X}`" in TEXT


def test_the_pages_types_of_windows_are_the_codes() -> None:
    sentence = re.search(r"Types: (.*?) \(IEEE", TEXT, re.DOTALL)
    assert sentence
    rows = re.findall(r"(\d) (?:is )?\s*(u?int\d+|float\d+)", sentence[1].replace("\n", " "))
    assert {int(number): name for number, name in rows} == window.DTYPES


def test_dtype_codes_of_the_page_equal_the_codes() -> None:
    rows = re.findall(r"(?:^|\| )\|? ?(\d+) \| (u?int\d+|float\d+)", TEXT, re.MULTILINE)
    assert {int(code): np.dtype(name) for code, name in rows} == {
        code: np.dtype(name) for code, name in array_bytes.DTYPE_CODES.items()
    }


def test_the_pages_table_is_the_examples() -> None:
    for i in range(3):
        counts = ", ".join(map(str, EXAMPLE.counts[i]))
        offset = str(EXAMPLE.offsets[i]).replace("-", "\N{MINUS SIGN}")
        assert f"| {i} | {int(EXAMPLE.coded[i])} | {offset} | {counts} |" in TEXT


def test_the_examples_steps_and_ending_are_recomputed() -> None:
    low, range_, words = 0, 2**64 - 1, 0
    for line in block("example-steps")[1:]:
        start, count, scale, word, shown_low, shown_range = line.split()[-6:]
        assert int(scale, 16) == range_ >> 24
        low, range_ = low + (range_ >> 24) * int(start), (range_ >> 24) * int(count)
        moved = range_ < 2**32
        if moved:
            low, range_, words = low << 32, range_ << 32, words + 1
        assert word == (f"{low >> 64 & 0xFFFFFFFF:08x}" if moved else "-")
        assert (int(shown_low, 16), int(shown_range, 16)) == (low & 2**64 - 1, range_)
    shown = [int(line.split()[-1], 16) for line in block("example-ending")]
    x = (low - 1) ^ (low + range_ - 1)
    assert shown == [low, low + range_ - 1, x]
    highest = x.bit_length() - 1
    shift = highest // 8 * 8
    payload = (((low - 1) >> shift) + 1).to_bytes((64 + 32 * words - shift) // 8, "big")
    assert f"highest set bit is number {highest}, shift = {shift}" in TEXT
    assert payload == encode_symbols(SYMBOLS, EXAMPLE)


def test_the_examples_bytes_are_what_we_write_and_read() -> None:
    written = bytes.fromhex("".join(line.split("  ")[0] for line in block("example-stream")))
    payload = encode_symbols(SYMBOLS, EXAMPLE)
    assert written == stream.pack(3, FINGERPRINT, None, payload)
    assert f"these {len(written)} bytes" in TEXT
    assert decode_by_the_page(stream.unpack(written).payload, [EXAMPLE]) == [SYMBOLS.tolist()]
    information_bits = int(EXAMPLE.information_bits(SYMBOLS[None])[0])
    assert f"= {information_bits} bits, the payload {8 * len(payload)}." in TEXT
