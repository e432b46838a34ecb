"""Parts of a model file that do not fit together are refused; the largest that fit are not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaecodec.bitstream.array_bytes import pack_array
from vaecodec.bitstream.container import pack_container, unpack_container
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import MAX_ALPHABET, MAX_ENTRIES, CodingTables
from vaecodec.errors import (
    BadField,
    FormatError,
    LimitExceeded,
    ModelError,
)
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense, Reshape
from vaecodec.limits import lifted
from vaecodec.modelfile.derived import join_models
from vaecodec.modelfile.levels import pack_tables, unpack_levels
from vaecodec.modelfile.lossless_form import store_part
from vaecodec.modelfile.model import Model, pack_model, read_model, unpack_model
from vaecodec.modelfile.summary import check_decode_bytes

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
MINI = read_model(GOLDEN / "mini.vaem")


NO_TABLES = CodingTables(np.empty(0, np.int32), np.empty((0, 2), np.uint32), np.empty(0, np.bool_))
NO_STEPS = Quantizer(np.empty(0, np.float32), np.empty(0, np.float32))


def repacked(name: str, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A golden model file with another header, sealed again."""
    meta, sections = unpack_container((GOLDEN / f"{name}.vaem").read_bytes())
    change(meta)
    return pack_container(meta, {key: bytes(section) for key, section in sections.items()})


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("tiny", lambda m: m["decode"].update(photograph={}), "photograph model's"),
        ("exact", lambda m: m["decode"].update(channels=3), "grey"),
        ("tiny", lambda m: m["decode"].update(channels=2), "channels 2"),
        ("tiny", lambda m: m["decode"].update(channels=True), "channels True"),
        ("tiny", lambda m: m["decode"].update(height=0), "geometry 0x28"),
        ("tiny", lambda m: m["decode"].update(width=70000), "geometry 28x70000"),
        ("tiny", lambda m: m["about"].update(name=7), "name and family must be strings"),
        ("tiny", lambda m: m["about"].update(family=None), "name and family must be strings"),
        ("levels", lambda m: m["encode"].update(default_level=0), "default level 0"),
        ("levels", lambda m: m["encode"].update(default_level=True), "default level True"),
        ("levels", lambda m: m["encode"].update(default_level=len(m["encode"]["betas"])), "default level"),
    ],
)
def test_a_header_that_no_encoder_writes_is_refused(
    name: str, change: Callable[[dict[str, Any]], None], what: str
) -> None:
    with pytest.raises(BadField, match=what):
        unpack_model(repacked(name, change))


def test_the_last_level_may_be_the_default() -> None:
    model = read_model(GOLDEN / "levels.vaem")
    last = replace(model, default_level=len(model.levels) - 1)
    again = unpack_model(pack_model(last))
    assert again.default_level == len(model.levels) - 1
    assert again.fingerprint == model.fingerprint


def with_synthesis(model: Model, **changes: Any) -> Model:
    return replace(model, synthesis=replace(model.synthesis, **changes))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda: replace(MINI, levels=MINI.levels[:1] * 113), "113 levels"),
        (lambda: replace(MINI, levels=(MINI.levels[0], read_model(GOLDEN / "tiny.vaem").levels[0])), "tables and"),
        (
            lambda: replace(
                MINI, known_answer=replace(MINI.known_answer, symbols=MINI.known_answer.symbols[:63].copy())
            ),
            "known answer of shape",
        ),
        (lambda: replace(MINI, height=MINI.height + 1), "pixels must be"),
        (lambda: replace(MINI, channels=3), "pixels must be"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change: Callable[[], Model], what: str) -> None:
    with pytest.raises(BadField, match=what):
        unpack_model(pack_model(change()))


def test_levels_of_no_latents_are_refused() -> None:
    none, pixels = np.empty(0, np.int32), MINI.height * MINI.width
    dense = Dense((0,), np.zeros((pixels, 0), np.int8), np.zeros(pixels, np.int32))
    synthesis = ExactNetwork(none, none, (dense, Reshape((1,), MINI.height, MINI.width)))
    answer = replace(MINI.known_answer, symbols=np.empty((64, 0), np.int32))
    level = replace(MINI.levels[0], tables=NO_TABLES, quantizer=NO_STEPS)
    with pytest.raises(FormatError, match="no latents"):
        unpack_model(pack_model(replace(MINI, levels=(level,), synthesis=synthesis, known_answer=answer)))


def test_a_model_of_112_levels_is_the_largest() -> None:
    assert len(unpack_model(pack_model(replace(MINI, levels=MINI.levels[:1] * 112))).levels) == 112


def test_the_lossless_part_of_one_joins_the_levels_of_another() -> None:
    lossy, exact = read_model(GOLDEN / "tiny.vaem"), read_model(GOLDEN / "exact.vaem")
    joined = unpack_model(pack_model(join_models(lossy, exact, "both")))
    assert (joined.name, joined.betas) == ("both", lossy.betas)
    assert store_part(joined.lossless).sections == store_part(exact.lossless).sections
    assert joined.about["levels_from"] == lossy.name
    assert joined.about["lossless"]["name"] == exact.name
    for pair, what in (
        ((exact, exact), "expected a model of lossy levels alone"),
        ((joined, exact), "expected a model of lossy levels alone"),
        ((lossy, lossy), "has no lossless part"),
        ((MINI, exact), "is for images of"),
    ):
        with pytest.raises(ModelError, match=what):
            join_models(*pair, "both")


def test_tables_of_an_alphabet_that_is_too_large_are_refused() -> None:
    model = replace(MINI, levels=MINI.levels[:1] * 20)
    sections = pack_tables(model.levels)
    rows = MAX_ENTRIES // MAX_ALPHABET + 1
    arrays = {
        "offsets": np.zeros(rows, np.int32),
        "coded": np.zeros(rows, np.uint8),
        "alphabet": np.array([MAX_ALPHABET], np.uint16),
        "windows": np.empty((0, 2), np.uint16),
        "counts": np.empty(0, np.uint32),
    }
    sections |= {f"decode/level/0/{name}": pack_array(array) for name, array in arrays.items()}
    with pytest.raises(LimitExceeded, match=f"{rows} x {MAX_ALPHABET} entries"):
        unpack_levels([1.0] * 20, sections)


def test_what_decoding_depends_on_has_a_limit() -> None:
    sections = {"decode/a": bytes(6), "decode/b": bytes(5), "encode/a": bytes(99)}
    with lifted(decode_bytes=11):
        check_decode_bytes(sections)
    with lifted(decode_bytes=10), pytest.raises(LimitExceeded, match="11 bytes that decoding depends on"):
        check_decode_bytes(sections)
