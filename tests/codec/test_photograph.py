"""Pictures of any size, with a photograph model that is not trained: everything but how good they look."""

import pickle
import random
import time
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import vaecodec
from tests.photo.tiny import smooth_picture, tiny_photo_model
from vaecodec.bitstream.picture_stream import pack_picture, unpack_picture
from vaecodec.codec import photograph
from vaecodec.codec.codec import load
from vaecodec.codec.photograph import PhotographCodec, grey_of
from vaecodec.codec.picture import Picture
from vaecodec.codec.quality import mse
from vaecodec.errors import (
    BadField,
    ConfigError,
    FormatError,
    ImageModeError,
    ImageSizeError,
    LimitExceeded,
    ModelError,
    ModelMismatch,
    TargetMissed,
    VaecodecError,
    WrongType,
)
from vaecodec.limits import lifted
from vaecodec.photo.coder import encode_picture

pytestmark = pytest.mark.usefixtures("special_models_alone")  # each test installs what it speaks of

PIXELS = smooth_picture(70, 90)
CHUNKS = {"icc": bytes(500), "exif": b"MM\0*\0\0\0\x08\0\0", "xmp": b"<x:xmpmeta/>"}


@pytest.fixture(scope="module")
def codec():
    return PhotographCodec(tiny_photo_model())


@pytest.fixture(scope="module")
def stream(codec):
    return codec.compress(PIXELS, level=2)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 2), (16, 16), (65, 130)])
@pytest.mark.parametrize("level", range(4))
def test_a_decoder_gives_what_the_encoder_said(codec, size, level):
    pixels = smooth_picture(*size, seed=level)
    data = codec.compress(pixels, level=level)
    np.testing.assert_array_equal(codec.decompress(data), encode_picture(codec.model, pixels, level).pixels)
    assert len(data) == 13 + len(unpack_picture(data).payloads[0])


def test_it_has_the_surface_of_a_codec_of_one_geometry(codec, stream):
    assert (codec.geometry, codec.channels, codec.fingerprint) == (None, 3, codec.model.fingerprint)
    assert repr(codec) == "<PhotographCodec tiny-photo: any size, RGB>"
    assert codec.compress_batch([PIXELS, PIXELS], level=2) == [stream, stream]
    first, second = codec.decompress_batch([stream, memoryview(stream)])
    np.testing.assert_array_equal(first, second)


def test_arrays_pillows_images_and_pictures_are_the_same(codec, stream):
    for image in (Image.fromarray(PIXELS), Picture(PIXELS)):
        assert codec.compress(image, level=2) == stream
    grey = PIXELS[..., 0]
    data = codec.compress(grey, level=2)
    assert codec.compress(Image.fromarray(grey), level=2) == data
    assert codec.compress(np.repeat(grey[..., None], 3, axis=2), level=2) == data


def test_grey_comes_back_as_grey(codec):
    data = codec.compress(PIXELS[..., 1], level=3)
    decoded = codec.decompress(data)
    assert decoded.shape == PIXELS.shape[:2]
    picture = codec.decompress_picture(data)
    assert picture.grey
    for channel in range(3):
        np.testing.assert_array_equal(picture.pixels[..., channel], decoded)


def test_the_grey_of_a_pixel_is_the_rounded_mean_of_its_channels():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    expected = np.floor((pixels.astype(float).sum(axis=2) + 1) / 3)
    np.testing.assert_array_equal(grey_of(pixels), expected)
    np.testing.assert_array_equal(grey_of(np.full((1, 1, 3), 255, np.uint8)), [[255]])


def test_what_comes_with_the_pixels_comes_back(codec, stream):
    alpha = np.arange(PIXELS[..., 0].size, dtype=np.uint8).reshape(PIXELS.shape[:2])
    data = codec.compress(Picture(PIXELS, alpha=alpha, chunks=CHUNKS), level=2)
    found = codec.decompress_picture(data)
    np.testing.assert_array_equal(found.alpha, alpha)
    assert dict(found.chunks) == CHUNKS
    np.testing.assert_array_equal(found.pixels, codec.decompress(stream))
    constant = codec.compress(Picture(PIXELS, alpha=np.full(alpha.shape, 9, np.uint8)), level=2)
    assert len(constant) == len(stream) + 2
    plain = codec.decompress_picture(stream)
    assert (plain.alpha, plain.grey, dict(plain.chunks)) == (None, False, {})


def level_of(data):
    return unpack_picture(data).level


def test_quality_and_beta_choose_the_level(codec):
    assert [level_of(codec.compress(PIXELS, quality=q)) for q in (0, 34, 66, 100)] == [0, 1, 2, 3]
    assert [level_of(codec.compress(PIXELS, beta=beta)) for beta in (1e9, 700, 500, 1)] == [0, 1, 2, 3]
    assert level_of(codec.compress(PIXELS)) == codec.model.default_level


def test_targets_are_met_by_the_best_level_that_meets_them(codec):
    streams = [codec.compress(PIXELS, level=level) for level in range(4)]
    errors = [mse(codec.decompress(data), PIXELS) for data in streams]
    assert errors == sorted(errors, reverse=True)
    for level in range(4):
        assert codec.compress(PIXELS, target_bytes=len(streams[level])) == streams[level]
        assert codec.compress(PIXELS, max_mse=errors[level]) == streams[level]
    decibels = 10 * np.log10(255**2 / errors[1]) - 1e-9
    assert codec.compress(PIXELS, target_psnr=decibels) == streams[1]
    with pytest.raises(TargetMissed, match=rf"needs {len(streams[0])} for this picture"):
        codec.compress(PIXELS, target_bytes=len(streams[0]) - 1)
    with pytest.raises(TargetMissed, match="the best that tiny-photo gives"):
        codec.compress(PIXELS, max_mse=errors[3] - 1)


def test_a_target_counts_alpha_and_chunks(codec, stream):
    picture = Picture(PIXELS, chunks=CHUNKS)
    whole = len(codec.compress(picture, level=2))
    assert whole > len(stream)
    assert len(codec.compress(picture, target_bytes=whole - 1)) < len(stream)


def test_a_level_is_found_in_few_trials(codec, monkeypatch):
    tried = []

    def encode(model, pixels, level):
        tried.append(level)
        return encode_picture(model, pixels, level % 4)

    many = PhotographCodec(replace(codec.model, betas=tuple(1e4 * 0.9**k for k in range(112))))
    monkeypatch.setattr(photograph, "encode_picture", encode)
    with pytest.raises(TargetMissed):
        many.compress(PIXELS[:2, :2], target_bytes=1)
    assert len(tried) == len(set(tried)) <= 10


@pytest.mark.parametrize("settings", [{"lossless": True}, {"max_error": 0}, {"max_error": 5}])
def test_exact_files_are_refused_with_the_remedy(codec, settings):
    with pytest.raises(ModelError, match="PNG and JPEG XL"):
        codec.compress(PIXELS, **settings)


def test_what_it_does_not_do_is_refused_by_name(codec):
    with pytest.raises(ConfigError, match="effort 1"):
        codec.compress(PIXELS, effort=1)
    with pytest.raises(ModelError, match=r"level 4: tiny-photo has levels 0\.\.3"):
        codec.compress(PIXELS, level=4)
    with pytest.raises(ModelError, match="only decodes"):
        PhotographCodec(replace(codec.model, encoder=None)).compress(PIXELS)
    with pytest.raises(ImageModeError, match="float64"):
        codec.compress(PIXELS / 2)
    with pytest.raises(WrongType):
        codec.compress([[1]])
    with pytest.raises(WrongType):
        codec.decompress("text")


def test_a_picture_that_no_memory_holds_is_refused_before_it_is_touched(codec, monkeypatch):
    monkeypatch.setattr(photograph, "memory_bytes", lambda: 10**9)
    huge = np.broadcast_to(np.uint8(7), (60000, 60000, 3))
    with pytest.raises(ImageSizeError, match=r"this machine has 1\.0 GB"):
        codec.compress(Picture(huge))
    data = pack_picture(0, codec.fingerprint, (60000, 60000), [b""] * 900)
    with pytest.raises(LimitExceeded, match=r"this machine has 1\.0 GB"):
        codec.decompress(data)


def test_a_picture_of_more_pixels_than_the_limit_is_refused_unless_it_is_lifted(codec, stream):
    with lifted(picture_pixels=70 * 90 - 1):
        with pytest.raises(LimitExceeded, match="at most 6299 pixels, unless --max-pixels"):
            codec.decompress(stream)
        with pytest.raises(ImageSizeError, match="at most 6299 pixels"):
            codec.compress(PIXELS)
    with lifted(picture_pixels=70 * 90):
        assert codec.decompress(stream).shape == (70, 90, 3)


def test_a_pickle_of_a_named_model_is_short_and_of_another_model_is_refused(codec, tmp_path, monkeypatch):
    path = tmp_path / "a.vaem"
    path.write_bytes(codec.model.to_bytes())
    named = load(path)
    assert isinstance(named, PhotographCodec)
    data = pickle.dumps(named)
    assert len(data) < 500
    assert pickle.loads(data).compress(PIXELS, level=1) == codec.compress(PIXELS, level=1)
    whole = pickle.loads(pickle.dumps(codec))
    assert (whole.source, whole.fingerprint) == ("", codec.fingerprint)
    other = replace(codec.model, decode={**codec.model.decode, "known_answer": []})
    path.write_bytes(other.to_bytes())
    photograph._found_again.cache_clear()
    with pytest.raises(ModelMismatch):
        pickle.loads(data)


def test_the_public_load_gives_the_codec_of_either_kind(codec, tmp_path, monkeypatch):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    (tmp_path / "photo.vaem").write_bytes(codec.model.to_bytes())
    assert isinstance(vaecodec.load("photo"), PhotographCodec)
    assert isinstance(vaecodec.load("mnist"), vaecodec.Codec)
    assert vaecodec.load("photo").source == "photo"


def sealed(body, fingerprint):
    """With a check that matches, as a forger makes it."""
    return body + zlib.crc32(body, zlib.crc32(fingerprint)).to_bytes(4, "little")


def test_every_flipped_bit_and_every_cut_is_refused(codec):
    picture = Picture(PIXELS[:20, :20], alpha=PIXELS[:20, :20, 0], chunks=CHUNKS)
    data = codec.compress(picture, level=1)
    for bit in range(0, 8 * len(data), 3):
        damaged = (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")
        with pytest.raises(VaecodecError):
            codec.decompress_picture(damaged)
    for length in range(0, len(data), 2):
        with pytest.raises(FormatError):
            codec.decompress_picture(data[:length])
    with pytest.raises(FormatError):
        codec.decompress_picture(data + b"\0")


def test_what_a_forger_changes_gives_an_error_of_ours_or_a_picture_of_the_size_that_is_said(codec):
    """Mutants whose check matches: flips, cuts, splices, lying sizes and lengths."""
    rng = random.Random(0)
    wide = smooth_picture(20, 2100, seed=3)
    originals = [
        codec.compress(Picture(PIXELS[:20, :30], alpha=PIXELS[:20, :30, 1], chunks=CHUNKS), level=1),
        codec.compress(PIXELS[:40, :33], level=3),
        codec.compress(wide, level=2),
    ]
    refused = 0
    for number in range(240):
        body = bytearray(rng.choice(originals)[:-4])
        kind = number % 4
        if kind == 0:
            for _ in range(rng.randrange(1, 4)):
                body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del body[rng.randrange(9, len(body)) :]
        elif kind == 2:
            other = rng.choice(originals)[:-4]
            body[rng.randrange(9, len(body)) :] = other[rng.randrange(9, len(other)) :]
        else:
            for at in (5, 7):
                body[at : at + 2] = rng.choice([1, 16, 31, 700, 2048, 2049]).to_bytes(2, "little")
        if int.from_bytes(body[5:7], "little") * int.from_bytes(body[7:9], "little") > 1 << 23:
            continue  # sizes of their own: below
        data = sealed(bytes(body), codec.fingerprint)
        try:
            picture = codec.decompress_picture(data)
        except VaecodecError:
            refused += 1
        else:
            assert picture.size == unpack_picture(data).size
    assert refused > 150


@pytest.mark.parametrize("size", [(65535, 65535), (65535, 1), (1, 65535), (40000, 300)])
def test_a_huge_size_with_a_small_payload_is_refused_soon(codec, stream, size, monkeypatch):
    monkeypatch.setattr(photograph, "memory_bytes", lambda: 1 << 50)  # not by the machine's memory
    payload = unpack_picture(stream).payloads[0]
    regions = -(-size[0] // 2048) * -(-size[1] // 2048)
    started = time.process_time()
    data = pack_picture(2, codec.fingerprint, size, [payload] + [b""] * (regions - 1))
    with lifted(picture_pixels=1 << 33), pytest.raises(FormatError):
        codec.decompress(data)
    assert time.process_time() - started < 10


def test_what_is_not_of_the_model_is_refused(codec, stream):
    with pytest.raises(BadField, match="level at offset 1: 4"):
        codec.decompress(pack_picture(4, codec.fingerprint, (1, 1), [b""]))
    with pytest.raises(ModelMismatch, match="tiny-photo is"):
        codec.decompress(pack_picture(0, bytes(32), (1, 1), [b""]))
    with pytest.raises(FormatError):
        codec.decompress(pack_picture(2, codec.fingerprint[:2] + bytes(30), (1, 1), [b""]))
    with pytest.raises(FormatError):
        codec.decompress(pack_picture(2, codec.fingerprint, (70, 90), [unpack_picture(stream).payloads[0] + b"\0"]))
