"""An archive as an array: shape and type, numpy's indices, np.asarray, dask."""

from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.codec.codec import load
from vaecodec.errors import ImageSizeError, WrongType

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
CODEC = load(GOLDEN / "tiny.vaem")
IMAGES = np.random.default_rng(0).integers(0, 256, (21, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> vaecodec.Archive:
    path = tmp_path_factory.mktemp("archive") / "a.vaea"
    with vaecodec.ArchiveWriter.create(path, CODEC, block_images=8) as writer:
        writer.add_batch(IMAGES)
    return vaecodec.Archive(path, model=CODEC)


@pytest.fixture(scope="module")
def pixels(archive: vaecodec.Archive) -> np.ndarray:
    return np.stack(list(archive))


def test_an_archive_has_an_arrays_shape_and_type(archive: vaecodec.Archive) -> None:
    assert (archive.shape, archive.ndim, archive.dtype) == ((21, 28, 28), 3, np.uint8)


def test_numpy_takes_it(archive: vaecodec.Archive, pixels: np.ndarray) -> None:
    assert np.array_equal(np.asarray(archive), pixels)
    assert np.asarray(archive, np.float32).dtype == np.float32
    assert np.array_equal(np.mean(archive, axis=0), pixels.mean(axis=0))
    with pytest.raises(ValueError, match="copy"):
        archive.__array__(copy=False)


@pytest.mark.parametrize(
    "key",
    [
        (slice(3, 17), slice(None), slice(2, 9)),
        (slice(None, None, -5), 4),
        (7, slice(1, 3)),
        (-1, 3, 27),
        ([4, 1, -2], slice(14), slice(14)),
        (np.array([20, 0], np.uint8), Ellipsis, 5),
        (Ellipsis, 5),
        (slice(4, 4), slice(0, 0), slice(0, 0)),
        (np.arange(21) % 3 == 0, slice(2)),
        Ellipsis,
        (),
        (np.int64(3),),
    ],
)
def test_indices_of_images_and_pixels_are_numpys(archive: vaecodec.Archive, pixels: np.ndarray, key: object) -> None:
    found, expected = archive[key], pixels[key]
    assert np.shape(found) == np.shape(expected)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ((21, 0), IndexError),
        ((0, 28), IndexError),
        ((0, 0, 0, 0), IndexError),
        ((Ellipsis, 0, Ellipsis), IndexError),
        (([0, 1], [0, 1]), WrongType),
        ((0, None), WrongType),
        (("name", 0), WrongType),
    ],
)
def test_other_indices_are_refused(archive: vaecodec.Archive, key: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        archive[key]


def test_images_of_several_sizes_are_no_array(tmp_path: Path) -> None:
    for name, images in (("a", [IMAGES[0], IMAGES[1, :20]]), ("b", [])):
        with vaecodec.ArchiveWriter.create(tmp_path / name, CODEC) as writer:
            writer.add_batch(images)
        with vaecodec.Archive(tmp_path / name, model=CODEC) as found, pytest.raises(ImageSizeError, match="one size"):
            np.asarray(found)


def test_photographs_of_one_size_are_an_array_in_colour(tmp_path: Path) -> None:
    photo = vaecodec.load("photo")
    colour = np.random.default_rng(1).integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    with vaecodec.ArchiveWriter.create(tmp_path / "a", photo) as writer:
        writer.add_batch(colour)
    with vaecodec.Archive(tmp_path / "a", model=photo) as found:
        assert found.shape == (2, 20, 30, 3)
        assert np.array_equal(found[:, 5, :, 1], np.stack(list(found))[:, 5, :, 1])


def test_dask_takes_it(archive: vaecodec.Archive, pixels: np.ndarray) -> None:
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(archive, chunks=(8, 28, 28))
    assert np.array_equal(lazy.mean(axis=(1, 2)).compute(scheduler="threads"), pixels.mean(axis=(1, 2)))
    assert np.array_equal(lazy[[5, 17, 2], 3:9].compute(scheduler="sync"), pixels[[5, 17, 2], 3:9])
