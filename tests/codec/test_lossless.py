"""Exact streams: laws for any image, then the kinds, then hostile bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vaecodec.bitstream.stream import (
    CODING_LOSSLESS,
    CODING_NEAR_LOSSLESS,
    CODING_STORED,
    CODING_STORED_BITS,
    pack,
    unpack,
)
from vaecodec.codec.codec import Codec, load
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.entropy import coder
from vaecodec.errors import (
    ConfigError,
    FormatError,
    ImageSizeError,
    KnownAnswerMismatch,
    ModelError,
    VaecodecError,
)
from vaecodec.modelfile.lossless_form import store_part
from vaecodec.pixels.coder import encode_payloads, least_payload_bytes, least_value_bits
from vaecodec.pixels.near_lossless import Bins
from vaecodec.pixels.stored import pack_stored, stored_coding

TESTS = Path(__file__).parents[1]
EXACT, BITS, TINY = (load(TESTS / "golden" / "v1" / f"{name}.vaem") for name in ("exact", "bits", "tiny"))
DIGITS = load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data").images[:70]
SIZES = st.tuples(st.integers(1, 28), st.integers(1, 28))
FEW = st.sampled_from([0, 255]) | st.integers(0, 255)
SLOW = settings(max_examples=60, deadline=None)


def coding(data: bytes) -> int:
    return unpack(data).coding


def assert_exact(codec: Codec, image: np.ndarray) -> bytes:
    data = codec.compress(image, lossless=True)
    assert len(data) <= image.size + 10
    assert np.array_equal(codec.decompress(data), image)
    return data


# laws


@SLOW
@given(arrays.arrays(np.uint8, SIZES, elements=FEW, fill=FEW))
def test_decompress_inverts_compress_for_any_image(image: np.ndarray) -> None:
    assert_exact(EXACT, image)


@SLOW
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 10)), elements=FEW, fill=FEW))
def test_a_part_of_one_bit_inverts_any_image_too(image: np.ndarray) -> None:
    assert_exact(BITS, image)


@SLOW
@given(arrays.arrays(np.uint8, SIZES, elements=FEW, fill=FEW), st.integers(1, 127))
def test_every_pixel_stays_within_the_largest_error(image: np.ndarray, error: int) -> None:
    for codec in (EXACT, BITS):
        height, width = codec.geometry
        part = image[:height, :width]
        data = codec.compress(part, max_error=error)
        assert len(data) <= len(codec.compress(part, lossless=True))
        assert np.abs(codec.decompress(data).astype(int) - part).max() <= error


@pytest.mark.parametrize("error", [*range(21), 127])
def test_digits_stay_within_every_error(error: int) -> None:
    streams = EXACT.compress_batch(DIGITS[:8], target=Target(max_error=error))
    difference = np.stack(EXACT.decompress_batch(streams)).astype(int) - DIGITS[:8]
    assert np.abs(difference).max() <= error
    assert {coding(data) for data in streams} == {CODING_NEAR_LOSSLESS if error else CODING_LOSSLESS}


def test_noise_constant_and_inverted_images_come_back() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (8, 28, 28), np.uint8)
    flat = np.repeat(np.arange(256, dtype=np.uint8)[::15], 28 * 28).reshape(-1, 28, 28)
    images = np.concatenate([noise, flat, 255 - DIGITS[:8]])
    streams = EXACT.compress_batch(images, target=Target(max_error=0))
    assert np.array_equal(np.stack(EXACT.decompress_batch(streams)), images)
    assert max(map(len, streams)) == 28 * 28 + 7


def test_a_batch_gives_the_bytes_of_one_by_one() -> None:
    streams = EXACT.compress_batch(DIGITS, target=Target(max_error=0))
    assert streams[:5] == [EXACT.compress(image, lossless=True) for image in DIGITS[:5]]
    assert np.array_equal(np.stack(EXACT.decompress_batch(streams)), DIGITS)
    assert np.array_equal(EXACT.decompress(streams[-1]), DIGITS[-1])


def test_streams_of_every_kind_decode_in_one_batch() -> None:
    joined = load(TESTS / "golden" / "v1" / "joined.vaem")
    noise = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)
    streams = [
        joined.compress(DIGITS[0], level=0),
        joined.compress(DIGITS[1], lossless=True),
        joined.compress(DIGITS[2, :9], max_error=4),
        joined.compress(noise, lossless=True),
        joined.compress(DIGITS[3, :, :9], level=0),
        joined.compress(DIGITS[4], max_error=20),
    ]
    one_by_one = [joined.decompress(data) for data in streams]
    for image, expected in zip(joined.decompress_batch(streams), one_by_one, strict=True):
        assert np.array_equal(image, expected)


def test_the_reference_coder_decodes_what_the_other_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [EXACT.compress(DIGITS[0], lossless=True), EXACT.compress(DIGITS[1], max_error=3)]
    images = EXACT.decompress_batch(streams)
    monkeypatch.setattr(coder, "make_encoder", coder.ReferenceEncoder)
    monkeypatch.setattr(coder, "make_decoder", coder.ReferenceDecoder)
    for image, expected in zip(EXACT.decompress_batch(streams), images, strict=True):
        assert np.array_equal(image, expected)
    assert EXACT.compress(DIGITS[0], lossless=True) == streams[0]


# kinds


def test_what_cannot_be_coded_smaller_is_stored() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (28, 28), np.uint8)
    chequered = (np.indices((28, 28)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert coding(assert_exact(EXACT, noise)) == CODING_STORED
    assert coding(assert_exact(EXACT, chequered)) == CODING_STORED_BITS
    assert coding(assert_exact(BITS, np.full((5, 5), 7, np.uint8))) == CODING_STORED


def test_the_least_bytes_of_a_payload_are_a_bound() -> None:
    lossless = EXACT.lossless
    framed = EXACT.frame.fit_all(DIGITS)
    symbols = lossless.analyse(framed)
    whole, _ = lossless.rounded(framed, Bins(0))
    least = least_payload_bytes(lossless.part, symbols, whole)
    least_bits = least_value_bits(lossless.part, whole)
    spent = encode_payloads(lossless.part, Bins(0), [1] * len(framed), symbols, whole).spent
    assert ((least_bits > 0) & (least_bits <= spent.values)).all()
    streams = lossless.compress(framed)
    for bound, data in zip(least, streams, strict=True):
        assert 0 < bound <= len(unpack(data).payload)


def test_compress_within_gives_exactly_the_streams_that_fit() -> None:
    images = [*DIGITS[:20], np.random.default_rng(3).integers(0, 256, (28, 28), np.uint8), DIGITS[20, :10]]
    framed = EXACT.frame.fit_all(images)
    streams = EXACT.lossless.compress(framed)
    limits = [len(data) - k % 2 for k, data in enumerate(streams)]
    found = EXACT.lossless.compress_within(framed, limits)
    assert found == [None if k % 2 else data for k, data in enumerate(streams)]


def test_bits_are_spent_on_latents_flags_and_values() -> None:
    for data in (EXACT.compress(DIGITS[0], lossless=True), EXACT.compress(DIGITS[0], max_error=5)):
        stream = unpack(data)
        spent = EXACT.lossless.spent([stream])
        assert min(spent.latents[0], spent.flags[0], spent.values[0]) > 0
        assert spent.total[0] / 8 <= len(stream.payload) + 1e-6
        assert len(stream.payload) <= spent.total[0] / 8 + 1.1


# refusals


def test_a_model_without_the_part_says_so() -> None:
    with pytest.raises(ModelError, match="no lossless part"):
        TINY.compress(DIGITS[0], lossless=True)
    with pytest.raises(ModelError, match="no lossless part"):
        TINY.compress(DIGITS[0], max_error=2)


def test_an_image_that_is_too_large_is_refused() -> None:
    with pytest.raises(ImageSizeError):
        EXACT.compress(np.zeros((29, 28), np.uint8), lossless=True)


@pytest.mark.parametrize("error", [-1, 128])
def test_an_error_out_of_range_is_refused(error: int) -> None:
    with pytest.raises(ConfigError, match="max_error"):
        EXACT.compress(DIGITS[0], max_error=error)
    with pytest.raises(ConfigError, match="max_error"):
        EXACT.lossless.compress([EXACT.frame.fit(DIGITS[0])], error)


def test_two_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="give one of them"):
        EXACT.compress(DIGITS[0], lossless=True, max_error=2)
    with pytest.raises(ConfigError, match="give one of them"):
        EXACT.compress(DIGITS[0], lossless=True, quality=50)


@pytest.mark.parametrize(("field", "count"), [("sha256_one", 1), ("sha256_all", 2)])
def test_a_machine_that_does_not_reproduce_the_known_answer_is_refused(field: str, count: int) -> None:
    part = EXACT.model.lossless
    wrong = replace(part, known_answer=replace(part.known_answer, **{field: "0" * 64}))
    codec = Codec(replace(EXACT.model, stored_lossless=store_part(wrong)))
    with pytest.raises(KnownAnswerMismatch, match="lossless part"):
        codec.compress_batch(DIGITS[:count], target=Target(max_error=0))


def test_an_analysis_of_another_shape_is_refused() -> None:
    part = replace(EXACT.model.lossless, analysis=BITS.model.lossless.analysis)
    with pytest.raises(ModelError):
        Codec(replace(EXACT.model, stored_lossless=store_part(part))).compress(DIGITS[0], lossless=True)


# hostile bytes


def test_every_flipped_bit_is_a_format_error_or_another_model() -> None:
    for data in (
        EXACT.compress(DIGITS[2], lossless=True),
        EXACT.compress(DIGITS[2, :20], max_error=20),
        BITS.compress(np.full((12, 10), 255, np.uint8), lossless=True),
    ):
        codec = BITS if data[2:4] == BITS.fingerprint[:2] else EXACT
        for bit in range(8 * len(data)):
            damaged = (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")
            with pytest.raises(VaecodecError):
                codec.decompress(damaged)


@SLOW
@given(st.binary(max_size=120), st.sampled_from([124, 125, 126, 127]), st.none() | SIZES, st.integers(1, 127))
def test_any_payload_is_an_image_or_a_format_error(
    payload: bytes, coding: int, size: tuple[int, int] | None, error: int
) -> None:
    error = error if coding == CODING_NEAR_LOSSLESS else 0
    data = pack(coding, EXACT.fingerprint, size, payload, max_error=error)
    try:
        image = EXACT.decompress(data)
    except FormatError:
        return
    # The check of a coded stream covers pixels that nobody knows here.
    assert (coding, payload) == (stored_coding(image), pack_stored(image))
