"""Windows for arrays, PIL images and files of more than 8 bits: what is chosen, what comes back, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaecodec
from tests.photo.tiny import tiny_photo_model
from vaecodec.bitstream.window import Window
from vaecodec.codec.codec import Codec, load
from vaecodec.codec.photograph import PhotographCodec
from vaecodec.codec.picture import as_picture, read_picture
from vaecodec.codec.target import Target
from vaecodec.codec.window import holding, window_for
from vaecodec.codec.windows_of_streams import window_of
from vaecodec.errors import ConfigError, ImageError, ImageModeError
from vaecodec.modelfile.derived import join_models

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
EXACT = Codec(join_models(load(GOLDEN / "levels.vaem").model, load(GOLDEN / "exact.vaem").model, "levels"))


def crop(dtype="uint16", size=(28, 28), seed=0):
    """A spot on a noisy ground."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]]
    spot = 3000 * np.exp(-((rows - size[0] / 2) ** 2 + (columns - size[1] / 3) ** 2) / 40)
    values = 200 + spot + rng.normal(0, 30, size)
    return (values / 5000 if np.dtype(dtype).kind == "f" else np.rint(values)).astype(dtype)


@pytest.fixture(scope="module")
def photo():
    return PhotographCodec(tiny_photo_model())


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "int32", "float16", "float32", "float64"])
def test_exact_streams_give_values_within_half_a_step(dtype):
    values = crop(dtype)
    stream = EXACT.compress(values, lossless=True, window="minmax")
    window = window_of(stream)
    assert window == Window(values.min().item(), values.max().item(), dtype)
    np.testing.assert_array_equal(EXACT.decompress(stream), window.scale(values))
    back = EXACT.restore(stream)
    assert back.dtype == values.dtype
    slack = 0.5 if values.dtype.kind in "iu" else 2 * float(np.finfo(dtype).eps)
    assert np.abs(back.astype(float) - values.astype(float)).max() <= window.step / 2 + slack


@pytest.mark.parametrize("settings", [{}, {"lossless": True}, {"max_error": 2}, {"level": 0}, {"target_bytes": 700}])
def test_a_windowed_stream_is_the_pixels_stream_and_its_window(settings):
    values = crop()
    window = Window.near(250, 2500, "uint16")
    plain, windowed = (
        EXACT.compress(window.scale(values), **settings),
        EXACT.compress(values, window=window, **settings),
    )
    assert len(windowed) == len(plain) + 5
    assert plain[4:-3] == windowed[9:-3]
    np.testing.assert_array_equal(EXACT.decompress(windowed), EXACT.decompress(plain))
    np.testing.assert_array_equal(EXACT.restore(windowed), window.restore(EXACT.decompress(plain)))
    assert window_of(plain) is None
    assert EXACT.restore(plain).dtype == np.uint8


def test_batches_share_out_windows_of_their_own():
    batch = [crop(seed=k) for k in range(100)]
    streams = EXACT.compress_batch(batch, level=0, window="minmax")
    assert streams == [EXACT.compress(values, level=0, window="minmax") for values in batch]
    for values, image in zip(batch, EXACT.decompress_batch(streams), strict=True):
        assert image.shape == values.shape
    assert len({window_of(stream) for stream in streams}) > 50


@pytest.mark.parametrize("shape", [(20, 33), (20, 33, 3)])
def test_photographs_keep_windows_in_grey_and_colour(photo, shape):
    values = crop(size=shape[:2]) if len(shape) == 2 else np.stack([crop(size=shape[:2], seed=k) for k in range(3)], -1)
    stream = photo.compress(values, window="minmax")
    picture = photo.decompress_picture(stream)
    assert (picture.grey, picture.window) == (len(shape) == 2, window_of(stream))
    assert "window" not in picture.chunks
    back = photo.restore(stream)
    assert (back.dtype, back.shape) == (np.uint16, shape)
    np.testing.assert_array_equal(back, picture.window.restore(photo.decompress(stream)))


def test_what_a_window_is_asked_for():
    values = crop()
    values[3, 4] = 60000
    assert window_for(values, "minmax") == Window(values.min().item(), 60000, "uint16")
    percentile = window_for(values, "percentile")
    assert percentile.high < 60000
    assert 0 < percentile.clipped(values) < 12
    assert window_for(values, (100.4, 900)) == Window(100, 900, "uint16")
    nearly_all_zero = np.zeros((50, 50), np.float32)
    nearly_all_zero[0, 0] = 9
    assert window_for(nearly_all_zero, "percentile") == Window(0, 9, "float32")
    assert as_picture(values, (100, 900)).clipped == int(((values < 100) | (values > 900)).sum())


def test_one_window_holds_all_or_is_refused():
    assert holding([Window(5, 9, "uint16"), Window(1, 7, "uint16")]) == Window(1, 9, "uint16")
    with pytest.raises(ConfigError, match="int16 and uint16"):
        holding([Window(5, 9, "uint16"), Window(1, 7, "int16")])
    with pytest.raises(ConfigError, match="no type"):
        holding([])


@pytest.mark.parametrize("asked", ["maximum", (1,), (5, 5), (9, 2), ("a", "b"), 7, (0, 70000)])
def test_what_means_no_window_is_refused(asked):
    with pytest.raises(ConfigError):
        EXACT.compress(crop(), window=asked)


def test_deep_values_without_a_window_are_refused_with_the_remedy():
    for image in (crop(), crop("float32"), Image.fromarray(crop()), Image.fromarray(crop("int32"))):
        for take in (EXACT.compress, as_picture):
            with pytest.raises(ImageModeError, match='window="minmax"'):
                take(image)
    with pytest.raises(ImageModeError, match="16 and 32 bits"):
        EXACT.compress(np.zeros((28, 28), np.int64), window="minmax")
    with pytest.raises(ImageError, match="2 of its values"):
        EXACT.compress(np.array([[np.nan, 1], [np.inf, 2]], np.float32), window="minmax")
    with pytest.raises(ImageError, match="masked"):
        EXACT.compress(np.ma.masked_equal(crop(), crop().min()), window="minmax")
    with pytest.raises(ImageError, match="shape"):
        EXACT.compress(np.zeros((28, 28, 4), np.uint16), window="minmax")


def test_images_of_8_bits_need_no_window_and_get_none():
    pixels = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    assert EXACT.compress(pixels, window="minmax") == EXACT.compress(pixels)
    assert as_picture(Image.fromarray(pixels), "percentile").window is None


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm"])
def test_files_of_16_bits_are_read_as_they_are(tmp_path, suffix):
    values, path = crop(), tmp_path / f"crop{suffix}"
    Image.fromarray(values).save(path)
    picture = read_picture(path, "minmax")
    assert picture.window == Window(values.min().item(), values.max().item(), "uint16")
    np.testing.assert_array_equal(picture.values(), picture.window.restore(picture.window.scale(values)))
    with pytest.raises(ImageModeError, match="--window"):
        read_picture(path)


def test_big_endian_files_and_arrays_and_turned_ones_are_the_same_values(tmp_path):
    values = crop(size=(20, 28))
    np.testing.assert_array_equal(
        as_picture(values.astype(">u2"), "minmax").pixels, as_picture(values, "minmax").pixels
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values).save(tmp_path / "turned.png", exif=exif)
    turned = read_picture(tmp_path / "turned.png", "minmax")
    np.testing.assert_array_equal(turned.pixels, as_picture(np.rot90(values, -1), "minmax").pixels)
    assert "exif" in turned.chunks


def test_values_that_pillow_changes_are_refused(tmp_path):
    path = tmp_path / "twelve.pgm"
    path.write_bytes(b"P5 2 2 4095\n" + np.array([0, 1, 2, 4095], ">u2").tobytes())
    with pytest.raises(ImageModeError, match="4095"):
        read_picture(path, "minmax")


def test_archives_keep_a_window_for_each_image(tmp_path):
    crops = [crop(seed=k, size=(28, 28) if k % 3 else (20, 24)) for k in range(9)]
    pixels = np.full((28, 28), 9, np.uint8)
    for settings in ({"level": 0}, {"target": Target(max_error=0)}):
        path = tmp_path / f"{next(iter(settings))}.vaea"
        with vaecodec.ArchiveWriter.create(path, EXACT, window="minmax", **settings) as writer:
            writer.add_batch([*crops, pixels, *crops])
        with vaecodec.Archive(path, model=EXACT) as archive:
            assert archive.window(9) is None
            assert archive.restore(9).dtype == np.uint8
            for number, values in enumerate(crops):
                window = Window(values.min().item(), values.max().item(), "uint16")
                assert archive.window(number) == archive.window(number + 10) == window
                np.testing.assert_array_equal(archive.restore(number), window.restore(archive[number]))
                (picture,) = archive.pictures([number])
                np.testing.assert_array_equal(picture.values(), archive.restore(number))
            assert archive.verify().whole


def test_archives_of_photographs_keep_windows(photo, tmp_path):
    values = crop(size=(20, 33))
    with vaecodec.ArchiveWriter.create(tmp_path / "p.vaea", photo, window=(200, 3000)) as writer:
        writer.add_batch([values, Image.fromarray(values)])
    with vaecodec.Archive(tmp_path / "p.vaea", model=photo) as archive:
        assert archive.window(1) == Window(200, 3000, "uint16")
        np.testing.assert_array_equal(archive.restore(0), archive.restore(1))


def test_the_window_of_a_pillow_image_is_in_its_info(tmp_path, monkeypatch):
    import vaecodec.integrations.pillow  # noqa: F401

    stream = Codec.load("mnist").compress(crop(), window="minmax")
    (tmp_path / "crop.vae").write_bytes(stream)
    with Image.open(tmp_path / "crop.vae") as image:
        assert image.info["window"] == window_of(stream)
        np.testing.assert_array_equal(np.asarray(image), Codec.load("mnist").decompress(stream))
