"""Large networks are evaluated some images at a time: the same integers, and no memory that grows with a batch."""

from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.codec.codec import Codec
from vaecodec.errors import KnownAnswerMismatch, LimitExceeded
from vaecodec.exact import network
from vaecodec.limits import lifted
from vaecodec.modelfile.model import read_model
from vaecodec.pixels.phases import likelihood_answer, rows_at_once

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
MINI = read_model(GOLDEN / "mini.vaem")
EXACT = vaecodec.load(GOLDEN / "exact.vaem")


def streams_of(name):
    paths = sorted((GOLDEN / "streams").glob(f"{name}-*.bin"))
    return [path.read_bytes() for path in paths], [np.load(path.with_suffix(".npz"))["pixels"] for path in paths]


@pytest.mark.parametrize("elements", [1, 100, 5000])
def test_a_network_in_pieces_gives_the_same(monkeypatch, elements):
    rows = MINI.known_answer.symbols
    whole = MINI.synthesis(rows)
    sizes, evaluate = [], network.evaluate
    monkeypatch.setattr(network, "MOST_BATCH_ELEMENTS", elements)
    monkeypatch.setattr(network, "evaluate", lambda ops, x: sizes.append(len(x)) or evaluate(ops, x))
    assert np.array_equal(MINI.synthesis(rows), whole)
    assert sum(sizes) == len(rows)
    assert max(sizes) == min(len(rows), max(1, elements // MINI.synthesis.live_elements))


@pytest.mark.parametrize("rows", [1, 3, 64])
def test_pictures_in_pieces_are_the_same_and_the_known_answer_holds(monkeypatch, rows):
    monkeypatch.setattr("vaecodec.codec.synthesis.MOST_BATCH_ELEMENTS", 24 * rows)
    data, pixels = streams_of("mini")
    found = Codec(MINI).decompress_batch(data * 3)
    assert all(np.array_equal(image, wanted) for image, wanted in zip(found, pixels * 3, strict=True))


def test_a_known_answer_in_pieces_still_notices(monkeypatch):
    monkeypatch.setattr("vaecodec.codec.synthesis.MOST_BATCH_ELEMENTS", 24)
    bad = read_model(GOLDEN / "bad" / "KnownAnswerMismatch-use-weight.bin")
    with pytest.raises(KnownAnswerMismatch):
        Codec(bad).lossy.synthesise(np.zeros((2, bad.latents), np.int32))


def test_a_lossless_part_in_pieces_has_the_same_known_answer():
    part = EXACT.lossless.part
    with lifted(phase_indices=5 * part.likelihood.indices):
        assert rows_at_once(part.likelihood) == 5
        assert likelihood_answer(part.likelihood, part.known_answer.symbols) == part.known_answer.sha256_all


def test_streams_are_decoded_within_the_limit_and_a_block_beyond_it_is_refused():
    data, pixels = streams_of("exact")
    path, joined = GOLDEN / "archives" / "exact.vaea", GOLDEN / "joined.vaem"
    with lifted(phase_indices=2 * EXACT.lossless.part.likelihood.indices):
        found = Codec(EXACT.model).decompress_batch(data)
        assert all(np.array_equal(image, wanted) for image, wanted in zip(found, pixels, strict=True))
        with (
            vaecodec.Archive(path, model=joined) as archive,
            pytest.raises(LimitExceeded, match="3 images in one payload: this lossless part allows 2"),
        ):
            archive[0]
    with vaecodec.Archive(path, model=joined) as archive:
        assert archive[0].shape == (28, 28)
