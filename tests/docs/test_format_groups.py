"""docs/format.md, section 15, against the code: its example, its sections, and a decoder written from its text."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaecodec.codec.groups import GroupCoder
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.exact.known_answer import make_known_answer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense, Rescale, Reshape
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model, pack_model, read_model, unpack_model
from vaecodec.modelfile.priors import PRIORS, ConditionalPriors, make_conditional_answer

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## 15. ") : TEXT.index("## 16. ")]
TINY = read_model(ROOT / "tests" / "golden" / "v1" / "tiny.vaem")


def block(name: str) -> list[str]:
    found = re.search(rf"```{name}\n(.*?)```", SECTION, re.DOTALL)
    assert found, name
    return found.group(1).splitlines()


def network(low: list[int], high: list[int], weight: list[list[int]], bias: list[int]) -> ExactNetwork:
    dense = Dense((0,), np.array(weight, np.float32), np.array(bias, np.float32))
    return ExactNetwork(
        np.array(low, np.int32), np.array(high, np.int32), (dense, Rescale((1,), np.zeros(1, np.uint8), -4000, 4000))
    )


def model_of(
    sizes: tuple[int, ...], tables: CodingTables, networks: tuple[ExactNetwork, ...], shapes: ShapeTable
) -> Model:
    """A model with these priors; its synthesis takes as many symbols as they have, and gives grey."""
    n = tables.n
    rows = np.random.default_rng(2).integers(-5, 6, (64, n)).astype(np.int32)
    limits = np.full(n, 9, np.int32)
    pixels = Dense((0,), np.zeros((28 * 28, n), np.float32), np.full(28 * 28, 90, np.float32))
    synthesis = ExactNetwork(-limits, limits, (pixels, Reshape((1,), 28, 28)))
    level = Level(1.0, tables, Quantizer(np.zeros(n, np.float32), np.ones(n, np.float32)))
    priors = ConditionalPriors(sizes, networks, shapes, make_conditional_answer(networks, rows))
    return replace(
        TINY, levels=(level,), synthesis=synthesis, known_answer=make_known_answer(synthesis, rows), priors=priors
    )


class Coder:
    """Section 4 with one long number for `low`, which decodes; shares no code with the package."""

    def __init__(self, payload: bytes) -> None:
        self.payload, self.low, self.range, self.words = payload, 0, 2**64 - 1, 0

    def column(self, counts: list[int]) -> int:
        assert sum(counts) == 2**24
        total_bytes = 8 + 4 * self.words
        number = int.from_bytes((self.payload + bytes(total_bytes))[:total_bytes], "big")
        scale = self.range >> 24
        quantile = (number - self.low) // scale
        start = c = 0
        while not start <= quantile < start + counts[c]:
            start += counts[c]
            c += 1
        self.low, self.range = self.low + scale * start, scale * counts[c]
        if self.range < 2**32:
            self.low, self.range, self.words = self.low << 32, self.range << 32, self.words + 1
        return c

    def escaped(self, offset: int, width: int) -> int:
        """Section 5."""
        k = 0
        while not self.column([2**23, 2**23]):
            k += 1
        e = int("1" + "".join(str(self.column([2**23, 2**23])) for _ in range(k)), 2) - 1
        return offset + width + e // 2 if e % 2 == 0 else offset - (e + 1) // 2


def decode_by_the_page(model: Model, payload: bytes) -> list[int]:
    """Sections 15.1 and 15.2."""
    priors, tables, coder, symbols = model.priors, model.levels[0].tables, Coder(payload), []
    assert priors is not None
    scales, fractions, columns = priors.shapes.counts.shape
    for group, size in enumerate(priors.sizes):
        first = len(symbols)
        if group == 0:
            rows = [tables.counts[i].tolist() for i in range(size)]
            offsets = tables.offsets[:size].tolist()
        else:
            result = [int(v) for v in priors.networks[group - 1](np.array([symbols], np.int32))[0]]
            means, wanted = result[:size], [min(max(s, 0), scales - 1) for s in result[size:]]
            rows = [priors.shapes.counts[s, m % fractions].tolist() for m, s in zip(means, wanted, strict=True)]
            offsets = [m // fractions - (columns - 2) // 2 for m in means]
        coded = [i for i in range(size) if tables.coded[first + i]]
        found = {i: coder.column(rows[i]) for i in coded}
        here = [int(tables.offsets[first + i]) for i in range(size)]
        for i in coded:
            width = len(rows[i]) - 1
            here[i] = offsets[i] + found[i] if found[i] < width else coder.escaped(offsets[i], width)
        symbols += here
    return symbols


def random_model(seed: int) -> Model:
    rng = np.random.default_rng(seed)
    sizes = tuple(int(size) for size in rng.integers(1, 6, rng.integers(2, 5)))
    n, alphabet = sum(sizes), int(rng.integers(2, 9))
    counts = counts_from_probabilities(rng.gamma(0.5, size=(n, alphabet)) + 1e-9)
    tables = CodingTables(rng.integers(-4, 3, n).astype(np.int32), counts, rng.random(n) < 0.8)
    shapes = rng.gamma(0.3, size=(int(rng.integers(1, 5)), int(rng.integers(1, 6)), int(rng.integers(2, 12)))) + 1e-9
    networks = tuple(
        network(
            [-9] * before,
            [9] * before,
            rng.integers(-5, 6, (2 * size, before)).tolist(),
            rng.integers(-9, 10, 2 * size).tolist(),
        )
        for before, size in zip(np.cumsum(sizes).tolist(), sizes[1:], strict=False)
    )
    return model_of(sizes, tables, networks, ShapeTable(counts_from_probabilities(shapes)))


@pytest.mark.parametrize("seed", range(20))
def test_a_decoder_written_from_the_page_reads_what_we_write(seed: int) -> None:
    model, rng = random_model(seed), np.random.default_rng(seed + 100)
    tables, coder = model.levels[0].tables, GroupCoder(model)
    reach = int(rng.choice([3, 12, 1 << 29]))
    symbols = tables.fill_collapsed(rng.integers(-reach, reach, (6, tables.n)).astype(np.int32))
    payloads = coder.encode(symbols)
    assert [decode_by_the_page(model, payload) for payload in payloads] == symbols.tolist()
    np.testing.assert_array_equal(coder.decode(payloads), symbols)


def example_model() -> Model:
    counts = np.array([[8388608, 4194304, 4194304]] * 2, np.uint32)
    tables = CodingTables(np.array([-1, -1], np.int32), counts, np.ones(2, np.bool_))
    rows = {}
    for line in block("example-shapes"):
        place, row = line.split(":")
        scale, first, last = (int(found) for found in re.findall(r"\d+", place + " … 3")[:3])
        last = last if "…" in place else first
        for fraction in range(first, last + 1):
            rows[scale, fraction] = [int(count) for count in row.split(",")]
    shapes = np.array([[rows[s, f] for f in range(4)] for s in range(2)], np.uint32)
    return model_of((1, 1), tables, (network([-9], [9], [[3], [1]], [-2, 1]),), ShapeTable(shapes))


def test_the_example_is_recomputed() -> None:
    model, shown = example_model(), [line.split() for line in block("example-groups")[1:]]
    symbols = np.array([[int(line[0]) for line in shown]], np.int32)
    coder = GroupCoder(model)
    order = coder.order(1)
    tables = [next(order)[0]]
    tables.append(order.send(symbols[:, :1])[0])
    for line, table, symbol in zip(shown, tables, symbols[0].tolist(), strict=True):
        offset, column, start, count = (int(found) for found in line[-4:])
        assert offset == table.offsets[0]
        assert symbol == offset + column
        assert (start, count) == (table.counts[0, :column].sum(), table.counts[0, column])
    mean, scale, q, f = (int(found) for found in shown[1][1:5])
    assert model.priors is not None
    assert model.priors.networks[0](symbols[:, :1])[0].tolist() == [mean, scale]
    assert mean == 4 * q + f
    other = model.priors.networks[0](np.zeros((1, 1), np.int32))[0].tolist()
    assert other == [-2, 1]
    assert decode_by_the_page(model, coder.encode(symbols)[0]) == symbols[0].tolist()


def test_a_model_file_holds_the_sections_and_keys_of_the_page_and_no_others() -> None:
    model = random_model(1)
    data = pack_model(model)
    parsed = json.loads(data[46 : 46 + int.from_bytes(data[10:14], "little")])
    found = parsed["meta"]["decode"]["priors"]
    keys = re.findall(r"^\| `\"(\w+)\"` \|", SECTION, re.MULTILINE)
    assert sorted(found) == sorted(keys)
    page = [f"{PRIORS}counts", f"{PRIORS}low", f"{PRIORS}high", rf"{PRIORS}\d+/\d+/\w+"]
    assert f"`{PRIORS}counts`" in SECTION
    assert f"`{PRIORS}low`, `high`" in SECTION
    assert f"`{PRIORS}Q/P/FIELD`" in SECTION
    names = [section["name"] for section in parsed["sections"] if section["name"].startswith(PRIORS)]
    assert all(any(re.fullmatch(pattern, name) for pattern in page) for name in names)
    assert unpack_model(data).fingerprint == model.fingerprint


def test_the_known_answer_is_hashed_as_the_page_says() -> None:
    priors = random_model(3).priors
    assert priors is not None
    for rows, expected in ((1, priors.known_answer.sha256_one), (64, priors.known_answer.sha256_all)):
        digest = hashlib.sha256()
        for one in priors.networks:
            known = priors.known_answer.symbols[:rows, : len(one.input_low)]
            digest.update(np.asarray(one(known), "<i4").tobytes())
        assert digest.hexdigest() == expected


def test_models_without_priors_keep_their_bytes() -> None:
    path = ROOT / "tests" / "golden" / "v1" / "tiny.vaem"
    assert pack_model(read_model(path)) == path.read_bytes()
