"""Codec: symbols and bytes, images and bytes, batches, smaller images, and models that do not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import vaecodec
from vaecodec.bitstream.stream import pack, unpack
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.errors import ImageError, ImageSizeError, KnownAnswerMismatch, ModelError, ModelMismatch, NotCanonical
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import read_model

TESTS = Path(__file__).parents[1]
CODEC = vaecodec.load(TESTS / "golden" / "v1" / "tiny.vaem")
MINI = vaecodec.load(TESTS / "golden" / "v1" / "mini.vaem")
DIGITS = load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data").images[:80]
INT32 = st.integers(-(2**31), 2**31 - 1)
SYMBOLS = st.lists(st.integers(-9, 9) | INT32, min_size=8, max_size=8).map(lambda s: np.array(s, np.int32))


@settings(max_examples=100, deadline=None)
@given(SYMBOLS)
def test_decode_inverts_encode_for_any_int32_symbols(symbols: np.ndarray) -> None:
    np.testing.assert_array_equal(CODEC.lossy.decode_payload(CODEC.lossy.encode_payload(symbols)), symbols)


@settings(max_examples=50, deadline=None)
@given(SYMBOLS)
def test_decompress_gives_what_synthesis_gives_for_the_encoders_symbols(symbols: np.ndarray) -> None:
    data = pack(0, CODEC.fingerprint, None, CODEC.lossy.encode_payload(symbols))
    np.testing.assert_array_equal(CODEC.lossy.parse(data)[1], symbols)
    np.testing.assert_array_equal(CODEC.decompress(data), CODEC.lossy.synthesise(symbols[None])[0])


def test_real_images_round_trip_by_their_symbols() -> None:
    symbols = CODEC.lossy.analyse(DIGITS)
    streams = CODEC.compress_batch(DIGITS)
    images = CODEC.decompress_batch(streams)
    for data, row, image in zip(streams, symbols, images, strict=True):
        np.testing.assert_array_equal(CODEC.lossy.parse(data)[1], row)
        assert image.shape == (28, 28)
        assert image.dtype == np.uint8
    np.testing.assert_array_equal(images, CODEC.lossy.synthesise(symbols))


def test_a_batch_gives_the_same_bytes_and_pixels_as_one_by_one() -> None:
    streams = CODEC.compress_batch(DIGITS[:9])
    assert streams == [CODEC.compress(image) for image in DIGITS[:9]]
    singles = [CODEC.decompress(data) for data in streams]
    np.testing.assert_array_equal(CODEC.decompress_batch(streams), singles)
    assert CODEC.compress_batch([]) == CODEC.decompress_batch([]) == []


def test_overhead_is_seven_bytes_and_the_payload_is_close_to_its_information() -> None:
    symbols = CODEC.lossy.analyse(DIGITS)
    information_bits = CODEC.lossy.information_bits(symbols)
    for data, bits in zip(CODEC.compress_batch(DIGITS), information_bits, strict=True):
        payload = unpack(data).payload
        assert len(data) == len(payload) + 7
        assert 8 * len(payload) <= 1.01 * bits + 12


@pytest.mark.parametrize("size", [(1, 1), (20, 28), (28, 20), (27, 3)])
def test_a_smaller_image_is_padded_by_its_edge_cropped_and_costs_two_bytes(size: tuple[int, int]) -> None:
    image = DIGITS[3][: size[0], : size[1]]
    padded = np.pad(image, ((0, 28 - size[0]), (0, 28 - size[1])), mode="edge")
    small, whole = CODEC.compress(image), CODEC.compress(padded)
    assert len(small) == len(whole) + 2
    assert unpack(small).payload == unpack(whole).payload
    np.testing.assert_array_equal(CODEC.decompress(small), CODEC.decompress(whole)[: size[0], : size[1]])


def test_sizes_and_levels_mix_in_a_batch() -> None:
    symbols = np.array([[0, 7, 0], [3, 7, -1]], np.int32)
    streams = [
        pack(level, MINI.fingerprint, size, MINI.lossy.encode_payload(row, level))
        for row, (level, size) in zip(symbols[[0, 1, 0]], [(0, None), (1, (2, 3)), (1, None)], strict=True)
    ]
    images = MINI.decompress_batch(streams)
    assert [image.shape for image in images] == [(4, 6), (2, 3), (4, 6)]
    for data, image in zip(streams, images, strict=True):
        np.testing.assert_array_equal(MINI.decompress(data), image)


def test_a_level_of_more_than_one_is_stored_and_chosen() -> None:
    model = CODEC.model
    coarse = replace(model.levels[0].quantizer, step=model.levels[0].quantizer.step * 4)
    two = Codec(replace(model, levels=(*model.levels, Level(9.0, model.levels[0].tables, coarse))))
    fine, rough = (two.compress(DIGITS[0], level=level) for level in (0, 1))
    assert (unpack(fine).coding, unpack(rough).coding) == (0, 1)
    coded = [two.lossy.information_bits(two.lossy.analyse(DIGITS, level), level).mean() for level in (0, 1)]
    assert coded[1] < coded[0]
    np.testing.assert_array_equal(two.lossy.parse(rough)[1], two.lossy.analyse(DIGITS[:1], level=1)[0])
    for level in (-1, 2):
        with pytest.raises(ModelError, match=r"levels 0\.\.1"):
            two.compress(DIGITS[0], level=level)


@pytest.mark.parametrize("shape", [(29, 28), (28, 29), (300, 300)])
def test_a_larger_image_is_refused_and_the_message_names_the_remedy(shape: tuple[int, int]) -> None:
    with pytest.raises(ImageSizeError, match=r"takes at most 28x28; resize it, or train"):
        CODEC.compress(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(0, 28), (28, 0), (28,), (2, 28, 28)])
def test_an_array_that_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError):
        CODEC.compress(np.zeros(shape, np.uint8))


def test_pil_images_and_arrays_give_the_same_bytes() -> None:
    grey = Image.fromarray(DIGITS[0])
    expected = CODEC.compress(DIGITS[0])
    assert [CODEC.compress(image) for image in (grey, grey.convert("RGB"), grey.convert("RGBA"))] == [expected] * 3


def test_a_stream_of_another_model_is_a_mismatch() -> None:
    with pytest.raises(ModelMismatch, match="golden-mini-1"):
        MINI.decompress(CODEC.compress(DIGITS[0]))


def test_a_size_that_equals_the_models_is_not_canonical() -> None:
    payload = unpack(CODEC.compress(DIGITS[0])).payload
    with pytest.raises(NotCanonical, match="28x28 is the model's own"):
        CODEC.decompress(pack(0, CODEC.fingerprint, (28, 28), payload))


@pytest.mark.parametrize(("field", "batch"), [("sha256_one", 1), ("sha256_all", 64)])
def test_a_machine_that_does_not_reproduce_the_known_answer_is_refused(field: str, batch: int) -> None:
    model = read_model(TESTS / "golden" / "v1" / "mini.vaem")
    wrong = Codec(replace(model, known_answer=replace(model.known_answer, **{field: "0" * 64})))
    symbols = np.zeros((2 if batch == 64 else 1, 3), np.int32)
    with pytest.raises(KnownAnswerMismatch, match=f"batch size {batch}"):
        wrong.lossy.synthesise(symbols)


def test_an_analysis_that_is_no_graph_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="analysis graph"):
        MINI.compress(np.zeros((4, 6), np.uint8))


def test_an_analysis_of_another_models_latents_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="analysis graph"):
        Codec(replace(CODEC.model, synthesis=MINI.model.synthesis, levels=MINI.model.levels)).compress(DIGITS[0])
