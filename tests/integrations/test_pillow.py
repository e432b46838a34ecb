"""Pillow reads and writes streams and reads archives."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence, UnidentifiedImageError

import vaecodec
from vaecodec.integrations.pillow import register

LEVELS = Path(__file__).parents[1] / "golden" / "levels.vaem"
EXACT = Path(__file__).parents[1] / "golden" / "exact.vaem"


def test_save_and_open_are_compress_and_decompress(codec, images, pixels, tmp_path):
    path = tmp_path / "a.vae"
    Image.fromarray(images[0]).save(path, model=codec)
    assert path.read_bytes() == codec.compress(images[0])
    with Image.open(path) as opened:
        assert (opened.format, opened.mode, opened.size) == ("VAECODEC", "L", (28, 28))
        assert opened.info["model"] == "golden-tiny-1"
        assert np.array_equal(np.array(opened), pixels[0])
        assert np.array_equal(np.array(opened.convert("RGB").rotate(90))[..., 1], np.rot90(pixels[0]))


def test_a_file_object_and_an_explicit_format_work(codec, images):
    file = BytesIO()
    Image.fromarray(images[1][:9, :20]).save(file, format="VAECODEC", model=codec, level=0)
    file.seek(0)
    assert Image.open(file).size == (20, 9)
    assert np.array(Image.open(file)).shape == (9, 20)


def test_lossless_and_max_error_are_the_codecs(tmp_path, installed, monkeypatch):
    exact = vaecodec.load(EXACT)
    rows, columns = np.indices((28, 28))
    image = np.clip(255 - 9 * np.hypot(rows - 14, columns - 12) ** 1.3, 0, 255).astype(np.uint8)
    monkeypatch.setenv("VAECODEC_MODELS", str(EXACT.parent))
    for options, largest in (({"lossless": True}, 0), ({"max_error": 6}, 6), ({"lossless": False, "max_error": 2}, 2)):
        Image.fromarray(image).save(tmp_path / "a.vae", model=exact, **options)
        assert (tmp_path / "a.vae").read_bytes() == exact.compress(image, **options)
        with Image.open(tmp_path / "a.vae") as opened:
            assert np.abs(np.array(opened).astype(int) - image).max() <= largest
            assert opened.info["level"] is None
            assert opened.info["lossless"] == (largest == 0)


def test_quality_and_targets_are_the_codecs(images):
    levels = vaecodec.load(LEVELS)
    for options in ({}, {"quality": 100}, {"quality": np.float32(0)}, {"level": 2}, {"target_bytes": 40}):
        file = BytesIO()
        Image.fromarray(images[0]).save(file, format="VAECODEC", model=levels, **options)
        assert file.getvalue() == levels.compress(images[0], **options)
    for options in ({"quality": "web_high"}, {"quality": 101}, {"quality": 5, "level": 1}, {"target_psnr": 99}):
        with pytest.raises(OSError, match=r"quality|target"):
            Image.fromarray(images[0]).save(BytesIO(), format="VAECODEC", model=levels, **options)


def test_an_archive_opens_as_frames(archive_path, pixels):
    with Image.open(archive_path) as opened:
        assert (opened.format, opened.n_frames, opened.is_animated) == ("VAECODEC-ARCHIVE", 40, True)
        assert np.array_equal([np.array(frame) for frame in ImageSequence.Iterator(opened)], pixels)
        opened.seek(17)
        assert (opened.tell(), opened.info["name"], opened.info["label"]) == (17, "17.png", (117,))
        with pytest.raises(EOFError):
            opened.seek(40)


def test_what_is_wrong_is_an_error_of_pillows_kind(codec, images, tmp_path, archive_path, monkeypatch):
    data = codec.compress(images[0])
    with pytest.raises(OSError, match="check"):
        Image.open(BytesIO(data[:-1] + bytes([data[-1] ^ 1])))
    with pytest.raises(UnidentifiedImageError):
        Image.open(BytesIO(data[:1] + b"\x7b" * 30))
    with pytest.raises(OSError, match="path"):
        Image.open(BytesIO(archive_path.read_bytes()))
    colour = Image.merge("RGB", [Image.effect_noise((28, 28), spread) for spread in (1, 50, 90)])
    with pytest.raises(OSError, match="colour"):
        colour.save(tmp_path / "b.vae", model=codec)
    with pytest.raises(OSError, match="model="):
        Image.new("L", (5, 5)).save(tmp_path / "b.vae")
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    with pytest.raises(OSError, match="not installed"):
        Image.open(BytesIO(data))


def test_registering_again_changes_nothing():
    register()
    register()
    assert Image.registered_extensions()[".vae"] == "VAECODEC"
