"""Pillow reads and writes streams of photographs, with what comes with them."""

import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms, UnidentifiedImageError

import vaecodec
import vaecodec.integrations.pillow
from tests.photo.tiny import smooth_picture, tiny_photo_model
from vaecodec.codec.photograph import PhotographCodec

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PIXELS = smooth_picture(45, 70)
ALPHA = np.tile(np.arange(70, dtype=np.uint8), (45, 1))


@pytest.fixture(scope="module")
def photograph():
    return PhotographCodec(tiny_photo_model())


@pytest.fixture(autouse=True)
def with_photographs(installed, special_models_alone, photograph, tmp_path, monkeypatch):
    """The tiny photograph model is the only one of photographs."""
    (tmp_path / "tiny-photo.vaem").write_bytes(photograph.model.to_bytes())
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))


def saved(image, **options):
    file = BytesIO()
    image.save(file, "VAECODEC", **options)
    file.seek(0)
    return file


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "a maker"
    return exif


def test_save_and_open_are_compress_and_decompress(photograph):
    for options in ({}, {"quality": 100}, {"level": 0}, {"max_mse": 4000}):
        file = saved(Image.fromarray(PIXELS), **options)
        assert file.getvalue() == photograph.compress(PIXELS, **options)
        with Image.open(file) as opened:
            assert (opened.format, opened.mode, opened.size) == ("VAECODEC", "RGB", (70, 45))
            assert (opened.info["model"], opened.info["lossless"]) == ("tiny-photo", False)
            np.testing.assert_array_equal(np.asarray(opened), photograph.decompress(file.getvalue()))


def test_size_mode_and_info_are_there_before_anything_is_decoded():
    image = Image.fromarray(np.dstack([PIXELS, ALPHA]))
    image.info["icc_profile"] = SRGB
    with Image.open(saved(image, level=1)) as opened:
        assert (opened.mode, opened.size, opened.info["level"]) == ("RGBA", (70, 45), 1)
        assert opened.info["icc_profile"] == SRGB
        assert opened._im is None
        opened.load()
        assert opened._im is not None


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_the_mode_comes_back_and_alpha_exactly(mode):
    image = Image.fromarray(np.dstack([PIXELS, ALPHA])).convert(mode)
    with Image.open(saved(image)) as opened:
        assert opened.mode == mode
        opened.load()
        if "A" in mode:
            np.testing.assert_array_equal(np.asarray(opened)[..., -1], ALPHA)


def test_a_palette_with_transparency_comes_back_as_it_looks():
    image = Image.fromarray(PIXELS).quantize(8)
    image.info["transparency"] = 3
    with Image.open(saved(image)) as opened:
        assert opened.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(opened)[..., 3], np.where(np.asarray(image) == 3, 0, 255))


def test_profile_exif_and_xmp_come_back_upright():
    image = Image.fromarray(PIXELS)
    image.info |= {"icc_profile": SRGB, "exif": exif_of(6).tobytes(), "xmp": b"<x/>"}
    with Image.open(saved(image)) as opened:
        assert opened.size == (45, 70)
        assert (opened.info["icc_profile"], opened.info["xmp"]) == (SRGB, b"<x/>")
        assert (opened.getexif()[0x0112], opened.getexif()[0x010F]) == (1, "a maker")


def test_what_save_is_told_stands_instead_of_what_the_image_has():
    image = Image.fromarray(PIXELS)
    image.info |= {"icc_profile": SRGB, "exif": exif_of(1).tobytes()}
    with Image.open(saved(image, icc_profile=None, exif=b"")) as opened:
        assert not opened.info.keys() & {"icc_profile", "exif", "xmp"}
    with Image.open(saved(image, exif=exif_of(1), xmp=b"<y/>")) as opened:
        assert opened.info.keys() >= {"icc_profile", "exif", "xmp"}
    assert image.info["icc_profile"] == SRGB


def test_a_digit_stays_with_its_model_and_a_photograph_of_its_size_does_not(codec):
    rows, columns = np.mgrid[:28, :28]
    digit = (255 * (np.abs(np.hypot(rows - 14, columns - 14) - 8) < 2)).astype(np.uint8)
    with Image.open(saved(Image.fromarray(digit))) as opened:
        assert opened.info["model"].startswith("mnist")
    with Image.open(saved(Image.fromarray(smooth_picture(28, 28, seed=2)))) as opened:
        assert opened.info["model"] == "tiny-photo"


def test_what_is_wrong_is_an_error_of_pillows_kind(tmp_path, monkeypatch):
    data = saved(Image.fromarray(PIXELS)).getvalue()
    for k in (1, 5, len(data) // 2, len(data) - 1):
        damaged = data[:k] + bytes([data[k] ^ 1]) + data[k + 1 :]
        with pytest.raises(OSError), Image.open(BytesIO(damaged)) as opened:
            opened.load()
    with pytest.raises(OSError, match="exactly"):
        saved(Image.fromarray(PIXELS), lossless=True)
    with pytest.raises(OSError, match="CMYK"):
        saved(Image.fromarray(PIXELS).convert("CMYK"))
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "empty"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UnidentifiedImageError):
            Image.open(BytesIO(data))


def test_the_codec_that_is_loaded_by_name_is_taken_as_a_model():
    codec = vaecodec.load("tiny-photo")
    file = saved(Image.fromarray(PIXELS), model=codec)
    assert file.getvalue() == saved(Image.fromarray(PIXELS), model="tiny-photo").getvalue()
