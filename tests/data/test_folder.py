"""Folders of images: what is taken, what is refused, and in which order."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from vaecodec.data.folder import image_paths, load_folder, read_picture
from vaecodec.data.splits import SPLITS
from vaecodec.errors import BadDataset, ConfigError, DatasetMissing

SIZE = (12, 20)


def grey(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def colour(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def read(path: Path) -> np.ndarray:
    return read_picture(path, resize=None, grey=False)


def every(folder: Path, **options: object) -> int:
    """How many images the three splits have together."""
    return sum(len(load_folder(folder, split, **options)) for split in SPLITS)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "pgm", "webp", "PNG"])
def test_lossless_formats_give_the_pixels_exactly(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    save(tmp_path / f"a.{suffix}", grey(), **options)
    np.testing.assert_array_equal(read(tmp_path / f"a.{suffix}"), grey())


def test_jpeg_is_read(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", np.full(SIZE, 77, np.uint8))
    assert np.abs(read(tmp_path / "a.jpg").astype(int) - 77).max() <= 1


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_read(tmp_path: Path) -> None:
    save(tmp_path / "a.avif", np.full(SIZE, 77, np.uint8))
    assert np.abs(read(tmp_path / "a.avif").astype(int) - 77).max() <= 2


def test_an_rgb_file_whose_channels_agree_is_grey(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.stack([grey()] * 3, axis=2))
    np.testing.assert_array_equal(read(tmp_path / "a.png"), grey())


def test_1_bit_and_palette_files_are_read(tmp_path: Path) -> None:
    Image.fromarray(grey()).convert("1").save(tmp_path / "bits.png")
    Image.fromarray(colour()).quantize(16).save(tmp_path / "palette.png")
    assert set(np.unique(read(tmp_path / "bits.png"))) == {0, 255}
    assert read(tmp_path / "palette.png").shape == (*SIZE, 3)


def test_an_image_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a.png", grey(), exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), np.rot90(grey(), -1))


def test_one_coloured_picture_makes_the_set_rgb(tmp_path: Path) -> None:
    for seed in range(40):
        save(tmp_path / f"{seed}.png", grey(seed))
    assert load_folder(tmp_path, "train").images.ndim == 3
    save(tmp_path / "colour.png", colour())
    assert load_folder(tmp_path, "train").images.shape[3] == 3
    assert load_folder(tmp_path, "train", grey=True).images.ndim == 3


def test_files_come_in_the_order_of_their_paths_and_others_are_left_out(tmp_path: Path) -> None:
    for name in ("b/1.png", "b/.hidden.png", ".thumbs/1.png", "a/2.png", "a/1.PNG", "c.png"):
        save(tmp_path / name, grey())
    (tmp_path / "notes.txt").write_text("not an image")
    found = [path.relative_to(tmp_path).as_posix() for path in image_paths(tmp_path)]
    assert found == ["a/1.PNG", "a/2.png", "b/1.png", "c.png"]


def test_the_three_splits_together_are_the_folder_without_labels(tmp_path: Path) -> None:
    for seed in range(60):
        save(tmp_path / f"{seed}.png", grey(seed))
    assert every(tmp_path) == 60
    train = load_folder(tmp_path, "train")
    assert (train.labels, train.label_names, train.source, train.name) == (None, (), "folder", tmp_path.name)


def test_equal_pictures_in_different_formats_are_in_the_same_split(tmp_path: Path) -> None:
    for seed in range(60):
        save(tmp_path / f"{seed}.png", grey(seed))
        save(tmp_path / f"{seed}.bmp", np.stack([grey(seed)] * 3, axis=2))
    seen = [{image.tobytes() for image in load_folder(tmp_path, split).images} for split in SPLITS]
    assert sum(len(pictures) for pictures in seen) == len(set.union(*seen)) == 60


def test_mixed_sizes_are_refused_by_name_and_taken_with_resize(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey())
    save(tmp_path / "b.png", grey(size=(12, 21)))
    with pytest.raises(BadDataset, match=r"b\.png: 12x21 \(height x width\), but .*a\.png is 12x20: .*resize"):
        load_folder(tmp_path, "train")
    assert every(tmp_path, resize=(8, 9)) == 2


def test_resize_brings_every_image_to_height_and_width(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey())
    assert read_picture(tmp_path / "a.png", resize=(8, 9), grey=False).shape == (8, 9)


@pytest.mark.parametrize("resize", [(0, 8), (8, -1), (8, 2**20)])
def test_a_resize_out_of_range_is_refused(tmp_path: Path, resize: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="resize: expected"):
        load_folder(tmp_path, "train", resize=resize)


def refused(path: Path, message: str) -> None:
    with pytest.raises(BadDataset, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_transparency_is_refused_but_an_opaque_alpha_channel_is_taken(tmp_path: Path) -> None:
    pixels = np.dstack([colour(), np.full(SIZE, 255, np.uint8)])
    save(tmp_path / "opaque.png", pixels)
    np.testing.assert_array_equal(read(tmp_path / "opaque.png"), colour())
    pixels[0, 0, 3] = 254
    save(tmp_path / "a.png", pixels)
    refused(tmp_path / "a.png", "transparent pixels")


def test_16_bits_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "grey.png", grey().astype(np.uint16) * 257)
    refused(tmp_path / "grey.png", "16")


def test_16_bit_rgb_is_refused_though_pillow_would_take_8_of_them(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + bytes((1, 2, 3, 4, 5, 6)))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(png)
    refused(tmp_path / "a.png", "16 bits a channel")


def test_cmyk_is_refused(tmp_path: Path) -> None:
    Image.fromarray(colour()).convert("CMYK").save(tmp_path / "a.jpg")
    refused(tmp_path / "a.jpg", "mode CMYK, expected 8-bit grey or RGB")


def test_several_frames_are_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(grey(seed)) for seed in range(3)]
    frames[0].save(tmp_path / "a.tiff", save_all=True, append_images=frames[1:])
    refused(tmp_path / "a.tiff", "expected one frame, found 3")


def test_a_file_that_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"not an image")
    refused(tmp_path / "a.png", "not an image that Pillow can read")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff", "bmp"])
def test_a_cut_image_is_refused(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"whole.{suffix}", grey())
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    for share in (0, 0.3, 0.6):
        (tmp_path / f"a.{suffix}").write_bytes(whole[: int(share * len(whole))])
        refused(tmp_path / f"a.{suffix}", "not an image|damaged")


def test_more_pixels_than_the_limit_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    Image.new("1", (2**13, 2**13 + 1)).save(tmp_path / "a.png")
    refused(tmp_path / "a.png", "8193x8192 pixels, expected at most")


def test_an_empty_folder_a_file_and_nothing_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match="found no file that ends in"):
        load_folder(tmp_path, "train")
    (tmp_path / "file").touch()
    with pytest.raises(DatasetMissing, match="is a file"):
        load_folder(tmp_path / "file", "train")
    with pytest.raises(DatasetMissing, match="is not there"):
        load_folder(tmp_path / "nothing", "train")
