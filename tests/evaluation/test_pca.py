"""The PCA baseline: it is what it says it is, and its streams are ours."""

import numpy as np
import pytest

from vaecodec.bitstream.stream import pack
from vaecodec.errors import BadChecksum, BadField, FormatError, ImageSizeError
from vaecodec.evaluation.distortion import psnr_of_set
from vaecodec.evaluation.pca import PcaBasis, PcaCodec

SIDE = 16
RANK = 6


def images_of(count, seed):
    """Images that lie within a fixed 6-dimensional space, rounding apart."""
    patterns = np.random.default_rng(0).standard_normal((RANK, SIDE, SIDE))
    weights = np.random.default_rng(seed).standard_normal((count, RANK)) * np.arange(12, 0, -2)
    return np.clip(np.rint(128 + np.tensordot(weights, patterns, 1)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def basis():
    return PcaBasis.fit(images_of(600, seed=1), RANK, rng=np.random.default_rng(2))


@pytest.fixture(scope="module")
def codec(basis):
    return PcaCodec.fit(basis, 8.0, images_of(600, seed=1))


def test_the_components_are_orthonormal_and_those_of_an_exact_decomposition(basis):
    np.testing.assert_allclose(basis.components @ basis.components.T, np.eye(RANK), atol=1e-5)
    x = images_of(600, seed=1).reshape(600, -1).astype(np.float64)
    exact = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[2][:RANK]
    np.testing.assert_allclose(np.abs(np.sum(exact * basis.components, axis=1)), 1, atol=1e-3)


def test_fitting_again_with_the_same_generator_gives_the_same_codec(basis, codec):
    again = PcaBasis.fit(images_of(600, seed=1), RANK, rng=np.random.default_rng(2))
    np.testing.assert_array_equal(again.components, basis.components)
    assert PcaCodec.fit(again, 8.0, images_of(600, seed=1)).fingerprint == codec.fingerprint
    assert PcaCodec.fit(again, 9.0, images_of(600, seed=1)).fingerprint != codec.fingerprint


def test_decompress_gives_what_synthesis_gives_for_the_encoders_symbols(codec):
    for image in images_of(20, seed=3):
        expected = codec.synthesise(codec.analyse(image[None]))[0]
        np.testing.assert_array_equal(codec.decompress(codec.compress(image)), expected)


def test_the_error_is_that_of_the_step(codec):
    images = images_of(200, seed=4)
    # A uniform step of 8 in 6 of 256 dimensions: 6/256 * 64/12 levels squared, and rounding to levels, 1/12 twice.
    expected = 10 * np.log10(255**2 / (RANK / SIDE**2 * 64 / 12 + 2 / 12))
    assert psnr_of_set(images, codec.synthesise(codec.analyse(images))) == pytest.approx(expected, abs=0.7)


def test_a_file_is_its_information_content_and_7_bytes_and_the_ending(codec):
    images = images_of(200, seed=5)
    symbols = codec.analyse(images)
    excess_bits = np.array([8 * (len(codec.pack_symbols(row)) - 7) for row in symbols]) - codec.information_bits(
        symbols
    )
    assert excess_bits.mean() < 6
    assert excess_bits.max() < 12


def test_a_component_that_never_moves_is_not_coded(basis):
    flat = np.full((50, SIDE, SIDE), 128, np.uint8)
    codec = PcaCodec.fit(basis, 1e6, flat)
    assert not codec.tables.coded.any()
    assert len(codec.compress(flat[0])) == 7


def test_another_codecs_stream_is_refused(basis, codec):
    other = PcaCodec.fit(basis, 16.0, images_of(600, seed=1))
    with pytest.raises(BadChecksum):
        other.decompress(codec.compress(images_of(1, seed=6)[0]))


def test_every_flipped_bit_is_a_format_error(codec):
    data = codec.compress(images_of(1, seed=7)[0])
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            codec.decompress(bytes(damaged))


def test_a_stream_at_another_level_or_size_is_a_bad_field(codec):
    for coding, size in ((1, None), (0, (8, 8))):
        with pytest.raises(BadField):
            codec.decompress(pack(coding, codec.fingerprint, size, b""))


def test_wrong_arguments_are_named(basis, codec):
    with pytest.raises(ImageSizeError, match="16 x 16"):
        codec.compress(np.zeros((17, 16), np.uint8))
    with pytest.raises(ValueError, match="components"):
        PcaBasis.fit(images_of(5, seed=1), 6, rng=np.random.default_rng(2))
    with pytest.raises(ValueError, match="step"):
        PcaCodec.fit(basis, 0.0, images_of(5, seed=1))
