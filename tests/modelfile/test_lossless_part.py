"""A lossless part in a model file: both ways, read only when it is used, and what it must agree on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaecodec.bitstream.container import pack_container, unpack_container
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Setting
from vaecodec.errors import BadField, NotCanonical
from vaecodec.exact.network import ExactNetwork
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.lossless_form import read_part, store_part
from vaecodec.modelfile.lossless_part import LosslessPart
from vaecodec.modelfile.model import lossless_model, open_model, pack_model, read_model, unpack_model
from vaecodec.modelfile.summary import read_summary

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
NAMES = ("exact", "bits", "joined")
PART = read_model(GOLDEN / "exact.vaem").lossless


@pytest.mark.parametrize("name", NAMES)
def test_a_part_comes_back_as_it_was_packed(name: str) -> None:
    first = read_model(GOLDEN / f"{name}.vaem").lossless
    again = read_part(store_part(first))
    assert store_part(again).sections == store_part(first).sections
    assert again.likelihood.bit_depth == first.likelihood.bit_depth
    symbols = first.known_answer.symbols
    np.testing.assert_array_equal(again.likelihood.map_network(symbols), first.likelihood.map_network(symbols))


@pytest.mark.parametrize("name", NAMES)
def test_the_summary_is_the_models(name: str) -> None:
    summary, model = read_summary(GOLDEN / f"{name}.vaem"), read_model(GOLDEN / f"{name}.vaem")
    assert summary.fingerprint == model.fingerprint
    assert summary.has_lossless
    assert model.has_lossless
    assert len(summary.betas) == len(model.levels)


@pytest.mark.parametrize("betas", ["", {}, None, 0, False, "ab"])
@pytest.mark.parametrize("name", NAMES)
def test_betas_that_are_no_list_are_refused(name: str, betas: object, tmp_path: Path) -> None:
    meta, sections = unpack_container((GOLDEN / f"{name}.vaem").read_bytes())
    meta["encode"]["betas"] = betas
    path = tmp_path / "bad.vaem"
    path.write_bytes(pack_container(meta, {name: bytes(section) for name, section in sections.items()}))
    for read in (read_model, read_summary):
        with pytest.raises(BadField):
            read(path)


def damaged() -> bytes:
    """joined.vaem with a lossless part that is no such thing, sealed again."""
    meta, sections = unpack_container((GOLDEN / "joined.vaem").read_bytes())
    changed = {name: bytes(section) for name, section in sections.items()}
    changed["decode/lossless/zero_counts"] = b"\x06\x01\x01\x00\x00\x00" + bytes(4)
    return pack_container(meta, changed)


def test_a_part_is_not_read_for_lossy_streams() -> None:
    data = damaged()
    with pytest.raises(BadField, match="lossless part"):
        unpack_model(data)
    codec, image = Codec(open_model(data)), np.zeros((28, 28), np.uint8)
    streams = codec.lossy.compress([codec.frame.fit(image)], [Setting(0)])
    assert codec.decompress(streams[0]).shape == (28, 28)
    with pytest.raises(BadField, match="lossless part"):
        codec.compress(image, lossless=True)


def test_what_python_takes_for_equal_is_told_apart() -> None:
    stored = store_part(read_model(GOLDEN / "bits.vaem").lossless)
    with pytest.raises(NotCanonical, match="described"):
        read_part(replace(stored, described={**stored.described, "bit_depth": True}))


def with_likelihood(**changes: object) -> LosslessPart:
    return replace(PART, likelihood=replace(PART.likelihood, **changes))


def limited(network: ExactNetwork, low: int, high: int) -> ExactNetwork:
    size = len(network.input_low)
    return replace(network, input_low=np.full(size, low, np.int32), input_high=np.full(size, high, np.int32))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda: with_likelihood(phases=PART.likelihood.phases[::-1]), "phase 0 takes"),
        (lambda: with_likelihood(phases=PART.likelihood.phases[:3]), "3 phases"),
        (lambda: with_likelihood(values=None), "phase 0 gives"),
        (lambda: with_likelihood(map_network=PART.likelihood.phases[0]), "the map must be"),
        (lambda: with_likelihood(zero_counts=PART.likelihood.zero_counts.astype(np.int64)), "int32"),
        (
            lambda: with_likelihood(phases=(limited(PART.likelihood.phases[0], 0, 254), *PART.likelihood.phases[1:])),
            "must take inputs of 0..255",
        ),
        (lambda: replace(PART, known_answer=replace(PART.known_answer, symbols=np.zeros((64, 5), np.int32))), "known"),
        (lambda: replace(PART, tables=read_model(GOLDEN / "tiny.vaem").levels[0].tables), "latents"),
    ],
)
def test_what_does_not_fit_is_a_bad_field(change: object, what: str) -> None:
    with pytest.raises(BadField, match=what):
        change()


def test_a_part_of_another_geometry_is_a_bad_field() -> None:
    model = replace(
        read_model(GOLDEN / "tiny.vaem"), stored_lossless=store_part(read_model(GOLDEN / "bits.vaem").lossless)
    )
    with pytest.raises(BadField, match="another geometry"):
        unpack_model(pack_model(model))


def test_the_encoders_side_changes_no_fingerprint() -> None:
    model = read_model(GOLDEN / "exact.vaem")
    other = lossless_model("other", "family", replace(PART, analysis=Analysis(b"another graph")), {})
    assert other.fingerprint == model.fingerprint
    assert pack_model(other) != pack_model(model)
