"""The model file: its inverse, its fingerprint, and damage of every kind that chance brings."""

import hashlib
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.independent import writing
from vaecodec.bitstream.container import pack_container, unpack_container
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables
from vaecodec.errors import BadField, FormatError, VaecodecError
from vaecodec.exact.network import ExactNetwork
from vaecodec.modelfile import summary as model_summary
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.model import Model, pack_model, read_model, unpack_model
from vaecodec.modelfile.summary import read_summary

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
MODELS = [GOLDEN / "tiny.vaem", GOLDEN / "mini.vaem"]
TINY = MODELS[0].read_bytes()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_unpack_inverts_pack(path: Path) -> None:
    first = read_model(path)
    second = unpack_model(pack_model(first))
    assert pack_model(second) == pack_model(first)
    for name in ("name", "family", "height", "width", "analysis", "about", "fingerprint", "latents"):
        assert getattr(second, name) == getattr(first, name), name
    for ours, theirs in zip(second.levels, first.levels, strict=True):
        assert ours.beta == theirs.beta
        np.testing.assert_array_equal(ours.tables.counts, theirs.tables.counts)
        np.testing.assert_array_equal(ours.quantizer.step, theirs.quantizer.step)
    symbols = first.known_answer.symbols
    np.testing.assert_array_equal(second.synthesis(symbols), first.synthesis(symbols))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_summary_says_what_the_model_is(path: Path) -> None:
    summary, model = read_summary(path), read_model(path)
    for name in ("name", "family", "fingerprint", "height", "width", "about"):
        assert getattr(summary, name) == getattr(model, name), name
    assert summary.betas == tuple(level.beta for level in model.levels)


def test_a_header_longer_than_the_first_read_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_summary, "HEADER_READ_BYTES", 100)
    assert read_summary(MODELS[0]).fingerprint == read_model(MODELS[0]).fingerprint


def with_level(model: Model, **changes: Any) -> Model:
    return replace(model, levels=(replace(model.levels[0], **changes), *model.levels[1:]))


def with_tables(model: Model, **changes: Any) -> Model:
    old = model.levels[0].tables
    arrays = {name: changes.get(name, getattr(old, name)) for name in ("offsets", "counts", "coded")}
    return with_level(model, tables=CodingTables(**arrays))


def with_op(model: Model, position: int, **changes: Any) -> Model:
    ops = list(model.synthesis.ops)
    ops[position] = replace(ops[position], **changes)
    return replace(model, synthesis=replace(model.synthesis, ops=tuple(ops)))


def with_answer(model: Model, **changes: Any) -> Model:
    return replace(model, known_answer=replace(model.known_answer, **changes))


def plus_one(array: np.ndarray) -> np.ndarray:
    changed = array.copy()
    changed.ravel()[0] += 1
    return changed


DECODING: dict[str, Callable[[Model], Model]] = {
    "offsets": lambda m: with_tables(m, offsets=plus_one(m.levels[0].tables.offsets)),
    "counts": lambda m: with_tables(m, counts=m.levels[0].tables.counts[:, ::-1].copy()),
    "coded": lambda m: with_tables(m, coded=~m.levels[0].tables.coded),
    "level gone": lambda m: replace(m, levels=m.levels[:1]),
    "levels swapped": lambda m: replace(m, levels=m.levels[::-1]),
    "weight": lambda m: with_op(m, 6, weight=-m.synthesis.ops[6].weight),
    "bias": lambda m: with_op(m, 6, bias=plus_one(m.synthesis.ops[6].bias)),
    "shift": lambda m: with_op(m, 5, shift=m.synthesis.ops[5].shift + np.uint8(1)),
    "clamp": lambda m: with_op(m, 5, high=254),
    "table": lambda m: with_op(m, 14, table=plus_one(m.synthesis.ops[14].table)),
    "sources": lambda m: with_op(m, 7, sources=(7, 7)),
    "input range": lambda m: replace(
        m, synthesis=ExactNetwork(m.synthesis.input_low, plus_one(m.synthesis.input_high), m.synthesis.ops)
    ),
    "height": lambda m: replace(m, height=5),
    "width": lambda m: replace(m, width=5),
    "known answer": lambda m: with_answer(m, symbols=plus_one(m.known_answer.symbols)),
    "hash of one": lambda m: with_answer(m, sha256_one="0" * 64),
    "hash of all": lambda m: with_answer(m, sha256_all="0" * 64),
}
NOT_DECODING: dict[str, Callable[[Model], Model]] = {
    "name": lambda m: replace(m, name="another"),
    "family": lambda m: replace(m, family="another"),
    "about": lambda m: replace(m, about={"steps": 1}),
    "analysis": lambda m: replace(m, analysis=Analysis(b"another graph")),
    "beta": lambda m: with_level(m, beta=9.0),
    "step": lambda m: with_level(m, quantizer=Quantizer(m.levels[0].quantizer.center, np.full(3, 9, np.float32))),
    "center": lambda m: with_level(m, quantizer=Quantizer(np.full(3, 9, np.float32), m.levels[0].quantizer.step)),
}


@pytest.mark.parametrize("part", DECODING)
def test_the_fingerprint_changes_with_what_decoding_depends_on(part: str) -> None:
    model = read_model(MODELS[1])
    assert DECODING[part](model).fingerprint != model.fingerprint


def test_different_changes_give_different_fingerprints() -> None:
    model = read_model(MODELS[1])
    found = {change(model).fingerprint for change in DECODING.values()}
    assert len(found) == len(DECODING)


@pytest.mark.parametrize("part", NOT_DECODING)
def test_the_fingerprint_does_not_change_with_anything_else(part: str) -> None:
    model = read_model(MODELS[1])
    changed = NOT_DECODING[part](model)
    assert changed.fingerprint == model.fingerprint
    assert pack_model(changed) != pack_model(model)


def refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        unpack_model(data)


def test_a_file_cut_anywhere_is_refused() -> None:
    rng = random.Random(0)
    for length in [*range(0, 60), *sorted(rng.sample(range(60, len(TINY)), 150)), len(TINY) - 1]:
        refused(TINY[:length])


def test_a_flipped_bit_anywhere_is_refused() -> None:
    rng = random.Random(1)
    for offset in [*range(0, 60), *sorted(rng.sample(range(60, len(TINY)), 250)), len(TINY) - 1]:
        damaged = bytearray(TINY)
        damaged[offset] ^= 1 << rng.randrange(8)
        refused(bytes(damaged))


def test_header_values_of_any_kind_give_an_error_of_ours_or_a_model() -> None:
    """As a hostile author would: the header changes, every checksum is right."""
    rng = random.Random(2)
    values = [None, True, 0, -1, 1, 2**31, 2**70, 0.5, "", "dense", [], [0], {}, {"op": "dense"}, [[0]]]
    good = MODELS[1].read_bytes()
    for _ in range(400):
        meta, views = unpack_container(good)
        place: Any = meta
        while True:
            key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.85:
                place = place[key]
                continue
            place[key] = rng.choice(values)
            break
        with suppress(VaecodecError):  # anything else fails the test
            unpack_model(sealed(meta, views))


def sealed(meta: dict[str, Any], sections: dict[str, memoryview]) -> bytes:
    """A container of any meta, one too that pack_container() refuses to write."""
    return writing.container(meta, {name: bytes(view) for name, view in sections.items()})


@pytest.mark.parametrize("beta", ["1.0", "nan", "", -0.5, -1, True, None, [1.0], 10**400])
def test_a_beta_that_is_no_finite_number_of_at_least_zero_is_refused(beta: Any, tmp_path: Path) -> None:
    meta, sections = unpack_container(MODELS[1].read_bytes())
    meta["encode"]["betas"][1] = beta
    path = tmp_path / "bad.vaem"
    path.write_bytes(sealed(meta, sections))
    for read in (read_model, read_summary):
        with pytest.raises(BadField):
            read(path)


@pytest.mark.parametrize("spelt", [b"NaN", b"Infinity", b"1e999"])
def test_a_beta_that_is_no_json_number_is_refused(spelt: bytes) -> None:
    meta, sections = unpack_container(MODELS[1].read_bytes())
    meta["encode"]["betas"][1] = 123456789.25
    data = sealed(meta, sections)
    length = int.from_bytes(data[10:14], "little")
    header = data[46 : 46 + length].replace(b"123456789.25", spelt)
    with pytest.raises(BadField, match="not JSON"):
        unpack_model(data[:10] + len(header).to_bytes(4, "little") + hashlib.sha256(header).digest() + header)


@pytest.mark.parametrize("digest", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n", "٠" * 64, 0, None])
@pytest.mark.parametrize("key", ["one", "all"])
def test_a_known_answer_that_is_no_sha256_is_refused(key: str, digest: Any) -> None:
    meta, sections = unpack_container(MODELS[1].read_bytes())
    meta["decode"]["known_answer"][key] = digest
    with pytest.raises(BadField, match="hexadecimal"):
        unpack_model(sealed(meta, sections))


def test_sections_of_any_bytes_give_an_error_of_ours_or_a_model() -> None:
    rng = random.Random(3)
    good = MODELS[1].read_bytes()
    for _ in range(400):
        meta, views = unpack_container(good)
        sections = {name: bytearray(view) for name, view in views.items()}
        name = rng.choice(list(sections))
        for _ in range(rng.randint(1, 3)):
            sections[name][rng.randrange(min(len(sections[name]), 24))] = rng.choice([0, 1, 2, 4, 9, 127, 128, 255])
        with suppress(VaecodecError):
            unpack_model(pack_container(meta, {key: bytes(section) for key, section in sections.items()}))


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_model(tmp_path / "missing.vaem")
    with pytest.raises(IsADirectoryError):
        read_model(tmp_path)


def test_values_beyond_int32_have_no_place_in_a_file() -> None:
    model = read_model(MODELS[1])
    with pytest.raises(BadField, match="int32"):
        pack_model(with_answer(model, symbols=model.known_answer.symbols.astype(np.int64) << 40))
