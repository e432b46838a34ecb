"""Pillow reads and writes streams and reads archives."""

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence, UnidentifiedImageError

import vaecodec
from tests.photo.tiny import zoo_without_photographs
from vaecodec.integrations.pillow import register

LEVELS = Path(__file__).parents[1] / "golden" / "v1" / "levels.vaem"
EXACT = Path(__file__).parents[1] / "golden" / "v1" / "exact.vaem"


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


def test_an_image_is_saved_as_an_archive_of_one_and_several_as_one_of_all(codec, images, pixels, tmp_path):
    first, *others = [Image.fromarray(image) for image in images[:3]]
    path = tmp_path / "x.vaea"
    first.save(path, model=codec)
    with vaecodec.Archive(path, model=codec) as archive:
        assert np.array_equal(list(archive), pixels[:1])
    first.save(path, model=codec, save_all=True, append_images=others)
    with Image.open(path) as opened:
        assert np.array_equal([np.array(frame) for frame in ImageSequence.Iterator(opened)], pixels[:3])
        opened.save(tmp_path / "again.vaea", model=codec, save_all=True)
    with vaecodec.Archive(tmp_path / "again.vaea", model=codec) as archive:
        assert len(archive) == 3
    with pytest.raises(OSError, match="quality"):
        first.save(tmp_path / "none.vaea", model=codec, quality=101)
    with pytest.raises(OSError, match="28x28"):
        Image.new("L", (29, 28)).save(tmp_path / "none.vaea", model=codec)
    assert not (tmp_path / "none.vaea").exists()


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
    zoo = zoo_without_photographs(tmp_path / "zoo")
    with monkeypatch.context() as context:
        context.setattr("vaecodec.modelfile.installed.zoo_folder", lambda: zoo)
        with pytest.raises(OSError, match="model="):
            Image.new("L", (5, 5)).save(tmp_path / "b.vae")
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    with pytest.warns(UserWarning, match="not installed"), pytest.raises(UnidentifiedImageError):
        Image.open(BytesIO(data))


def test_files_of_other_formats_are_left_to_their_plugins():
    code = """
import io, sys, warnings
import vaecodec.integrations.pillow
from PIL import Image, UnidentifiedImageError
file = io.BytesIO()
Image.new("L", (28, 28)).save(file, "TGA")
raw = file.getvalue()
named = bytes([0xB9]) + raw[1:18] + b"x" * 0xB9 + raw[18:]  # the first byte is the length of the picture's name
with Image.open(io.BytesIO(named)) as image:
    assert (image.format, image.size) == ("TGA", (28, 28))
warnings.simplefilter("ignore")
for k in range(300):
    try:
        with Image.open(io.BytesIO(b"\\xb9\\x00" + k.to_bytes(2, "big") * 20)) as image:
            assert not image.format.startswith("VAECODEC"), k
    except UnidentifiedImageError:
        continue
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_verify_finds_all_damage(codec, images, tmp_path, monkeypatch, archive_path):
    exact = vaecodec.load(EXACT)
    monkeypatch.setenv("VAECODEC_MODELS", str(EXACT.parent))
    rows, columns = np.indices((28, 28))
    image = np.clip(255 - 9 * np.hypot(rows - 14, columns - 12) ** 1.3, 0, 255).astype(np.uint8)
    data = bytearray(exact.compress(image, lossless=True))
    Image.open(BytesIO(data)).verify()
    found = 0
    for place in range(4, len(data)):
        damaged = data.copy()
        damaged[place] ^= 1
        try:
            opened = Image.open(BytesIO(damaged))
        except OSError:
            continue
        with pytest.raises(OSError, match=r"check|decode|canonical|symbol|payload"):
            opened.verify()
        found += 1
    assert found > 0
    with Image.open(archive_path) as opened:
        opened.verify()
    broken = bytearray(archive_path.read_bytes())
    with vaecodec.Archive(archive_path, model=codec) as archive:
        broken[int(archive._directory.offsets[3]) + 12] ^= 1
    (tmp_path / "broken.vaea").write_bytes(broken)
    with Image.open(tmp_path / "broken.vaea") as opened, pytest.raises(OSError, match="8 of 40 images are lost"):
        opened.verify()


def test_closing_an_archive_gives_its_file_back(archive_path, recwarn):
    def open_files():
        return [path for path in Path("/proc/self/fd").iterdir() if os.path.realpath(path) == str(archive_path)]

    with Image.open(archive_path) as first:
        assert len(open_files()) > 0 or not Path("/proc/self/fd").exists()
    second = Image.open(archive_path)
    second.close()
    with open(archive_path, "rb") as file, Image.open(file) as third:
        pass
    assert open_files() == []
    for opened in (first, second, third):
        with pytest.raises(ValueError, match="closed"):
            opened.seek(3)
        opened.close()
    assert [warning for warning in recwarn if warning.category is ResourceWarning] == []


def test_registering_again_changes_nothing():
    register()
    register()
    assert Image.registered_extensions()[".vae"] == "VAECODEC"
