"""Archives written once: they decode to the stored images for ever, and damaged ones raise what they say."""

from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec import Window, errors
from vaecodec.bitstream.stream import CODING_LOSSLESS, CODING_NEAR_LOSSLESS, CODING_STORED, CODING_STORED_BITS

HERE = Path(__file__).parent / "v1"
ARCHIVES = HERE / "archives"
BAD = sorted((ARCHIVES / "bad").glob("*.vaea"))


@pytest.fixture(scope="module")
def codec():
    return vaecodec.load(HERE / "tiny.vaem")


def test_the_golden_archive_decodes_to_the_stored_images_names_and_labels(codec):
    stored = np.load(ARCHIVES / "discs.npz")
    with vaecodec.Archive(ARCHIVES / "discs.vaea", model=codec) as archive:
        assert len(archive) == len(stored["images"]) == 12
        for k, image in enumerate(archive):
            assert np.array_equal(image, stored["images"][k, : image.shape[0], : image.shape[1]])
        assert archive[6].shape == (20, 9)
        assert [name or "" for name in archive.names] == stored["names"].tolist()
        assert [archive.label(k).tolist() for k in range(7)] == stored["labels"].tolist()
        assert archive.metadata == {"made by": "make_archives.py", "β": 1}
        assert archive.verify().whole


def test_the_golden_archive_of_exact_images_decodes_to_the_stored_ones():
    stored = np.load(ARCHIVES / "exact.npz")
    with vaecodec.Archive(ARCHIVES / "exact.vaea", model=HERE / "joined.vaem") as archive:
        for k, image in enumerate(archive):
            assert np.array_equal(image, stored[str(k)])
        blocks = [archive._blocks.read(k).codings for k in range(archive.info().blocks)]
        lossless = (CODING_LOSSLESS, CODING_STORED, CODING_LOSSLESS, CODING_LOSSLESS, CODING_STORED_BITS)
        assert [block.each for block in blocks] == [lossless, (CODING_STORED,) * 2, (CODING_NEAR_LOSSLESS,) * 3, (0, 0)]
        assert blocks[2].max_error == 7
        assert archive.names[5] == "stored"
        assert archive.verify().whole


def test_the_golden_archive_of_windows_gives_the_stored_values(codec):
    folder = HERE.with_name("v3") / "archives"
    stored = np.load(folder / "windowed.npz")
    with vaecodec.Archive(folder / "windowed.vaea", model=codec) as archive:
        for k in range(len(archive)):
            values = archive.restore(k)
            assert values.dtype == stored[str(k)].dtype
            assert np.array_equal(values, stored[str(k)])
        found = [archive.window(k) for k in range(len(archive))]
        assert found[:5] == [Window(100, 4095, "uint16")] * 3 + [None] * 2
        assert [window.dtype for window in found[5:]] == ["uint16", "uint16", "float32"]
        assert archive.verify().whole


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_damaged_archive_raises_what_its_name_says(codec, path):
    with pytest.raises(getattr(errors, path.stem.split("-")[0])):
        vaecodec.Archive(path, model=codec)[-1]


def test_there_are_damaged_archives():
    assert len(BAD) >= 5
