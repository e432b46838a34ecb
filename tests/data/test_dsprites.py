"""dSprites files: the subset's layout, and the official file, each way in which they can be wrong."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaecodec.data.dsprites import OFFICIAL_NAME, SUBSET_NAME, load_dsprites, read_subset
from vaecodec.data.dsprites_factors import COUNT, classes_of, default_rows, unpack
from vaecodec.data.dsprites_official import BLOCK_ROWS, KNOWN_ROWS, check_block, read_official
from vaecodec.data.dsprites_renderer import render
from vaecodec.errors import BadDataset, DatasetMissing

HEADER_1 = {"descr": "|u1", "fortran_order": False, "shape": (COUNT, 64, 64)}


@pytest.fixture
def parts(fixtures: Path) -> dict[str, np.ndarray]:
    with np.load(fixtures / "dsprites" / SUBSET_NAME) as archive:
        return {key: archive[key] for key in archive.files}


def refused_subset(folder: Path, parts: dict[str, Any], message: str) -> None:
    np.savez_compressed(folder / SUBSET_NAME, **parts)
    with pytest.raises(BadDataset, match=message):
        load_dsprites(folder, "train")


def test_a_subset_gives_images_of_0_and_255_with_their_classes(fixtures: Path) -> None:
    train = load_dsprites(fixtures / "dsprites", "train")
    assert train.source == "real subset"
    assert train.images.shape[1:] == (64, 64)
    assert set(np.unique(train.images)) == {0, 255}
    assert train.label_names == ("shape", "scale", "orientation", "x", "y")
    assert train.labels is not None
    assert train.labels.max(axis=0).tolist() == [2, 5, 39, 31, 31]


def test_rows_choose_images_of_a_subset(fixtures: Path, parts: dict[str, np.ndarray]) -> None:
    rows = parts["index"][[5, 3, 250]]
    sets = [load_dsprites(fixtures / "dsprites", split, rows=rows) for split in ("train", "validation", "test")]
    assert sum(len(images) for images in sets) == 3


def test_a_row_that_a_subset_has_not_is_named(fixtures: Path) -> None:
    with pytest.raises(DatasetMissing, match=r"1 of 2 rows are not in this subset, first 1$"):
        load_dsprites(fixtures / "dsprites", "train", rows=[0, 1])


def test_rows_come_in_rising_order_whatever_their_order_in_the_file(tmp_path: Path, parts: dict) -> None:
    np.savez(tmp_path / SUBSET_NAME, **{key: value[::-1] for key, value in parts.items()})
    packed, index = read_subset(tmp_path / SUBSET_NAME)
    assert (np.diff(index) > 0).all()
    np.testing.assert_array_equal(packed, parts["imgs_packed"][np.argsort(parts["index"])])


def test_a_missing_key_is_refused(tmp_path: Path, parts: dict) -> None:
    del parts["index"]
    refused_subset(tmp_path, parts, r"expected the key index, found \['imgs_packed', 'latents_classes'\]")


def test_another_type_is_refused(tmp_path: Path, parts: dict) -> None:
    refused_subset(tmp_path, parts | {"index": parts["index"].astype(np.int64)}, r"index: expected i4 .*found <i8")


def test_another_width_is_refused(tmp_path: Path, parts: dict) -> None:
    refused_subset(tmp_path, parts | {"imgs_packed": parts["imgs_packed"][:, :-1]}, r"expected u1 \(-1, 512\), found")


def test_another_length_is_refused(tmp_path: Path, parts: dict) -> None:
    refused_subset(tmp_path, parts | {"index": parts["index"][:-1]}, r"index: expected i4 \(322,\), found <i4 \(321,\)")


def test_an_array_in_fortran_order_is_refused(tmp_path: Path, parts: dict) -> None:
    refused_subset(tmp_path, parts | {"imgs_packed": np.asfortranarray(parts["imgs_packed"])}, "imgs_packed: expected")


def test_no_images_are_refused(tmp_path: Path, parts: dict) -> None:
    refused_subset(tmp_path, {key: value[:0] for key, value in parts.items()}, "expected images, found none")


def test_a_row_outside_the_data_set_is_refused(tmp_path: Path, parts: dict) -> None:
    parts["index"][7] = COUNT
    refused_subset(tmp_path, parts, "index: expected different rows from 0 to 737279")


def test_a_row_that_stands_twice_is_refused(tmp_path: Path, parts: dict) -> None:
    parts["index"][7] = parts["index"][8]
    refused_subset(tmp_path, parts, "index: expected different rows")


def test_classes_that_do_not_fit_the_row_are_refused(tmp_path: Path, parts: dict) -> None:
    parts["latents_classes"][9, 4] ^= 1
    refused_subset(tmp_path, parts, r"latents_classes\[9\]: expected \[.*\], found \[")


def test_a_pickled_array_is_never_opened(tmp_path: Path, parts: dict) -> None:
    refused_subset(tmp_path, parts | {"index": np.array([{}], dtype=object)}, r"index: expected i4 .*found \|O")


def test_a_cut_file_is_refused(tmp_path: Path, fixtures: Path) -> None:
    whole = (fixtures / "dsprites" / SUBSET_NAME).read_bytes()
    for length in range(0, len(whole), 397):
        (tmp_path / SUBSET_NAME).write_bytes(whole[:length])
        with pytest.raises(BadDataset):
            read_subset(tmp_path / SUBSET_NAME)


def test_a_damaged_byte_is_refused_or_changes_nothing(tmp_path: Path, fixtures: Path) -> None:
    whole = (fixtures / "dsprites" / SUBSET_NAME).read_bytes()
    packed, _ = read_subset(fixtures / "dsprites" / SUBSET_NAME)
    for at in range(0, len(whole), 61):
        (tmp_path / SUBSET_NAME).write_bytes(whole[:at] + bytes((whole[at] ^ 0x55,)) + whole[at + 1 :])
        try:
            found, _ = read_subset(tmp_path / SUBSET_NAME)
        except BadDataset:
            continue
        np.testing.assert_array_equal(found, packed)  # zip's dates and the like


def test_the_known_rows_of_the_official_file_are_real_pixels(fixtures: Path) -> None:
    packed, index = read_subset(fixtures / "dsprites" / SUBSET_NAME)
    found = {row: hashlib.sha256(packed[at].tobytes()).hexdigest()[:16] for at, row in enumerate(index.tolist())}
    assert {row: found[row] for row in KNOWN_ROWS} == KNOWN_ROWS


def test_a_block_with_a_wrong_known_row_is_refused() -> None:
    with pytest.raises(BadDataset, match=r"imgs\[0\]: expected pixels with hash 72ce20b4425ee404"):
        check_block(np.zeros(BLOCK_ROWS * 4096, dtype=np.uint8), 0, Path("f"))


def test_a_block_with_another_pixel_than_0_and_1_is_refused() -> None:
    with pytest.raises(BadDataset, match="expected pixels 0 and 1 in the block of row 4096, found 255"):
        check_block(np.full(BLOCK_ROWS * 4096, 255, dtype=np.uint8), 4096, Path("f"))


def official_table() -> np.ndarray:
    return np.concatenate([np.zeros((COUNT, 1), np.int64), classes_of(np.arange(COUNT))], axis=1)


def test_an_official_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / OFFICIAL_NAME).write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(BadDataset, match="not a whole npz file"):
        load_dsprites(tmp_path, "train")


def test_an_official_file_with_another_factor_table_is_refused(tmp_path: Path) -> None:
    table = official_table()
    table[[5, 6]] = table[[6, 5]]
    np.savez_compressed(tmp_path / OFFICIAL_NAME, latents_classes=table)
    with pytest.raises(BadDataset, match="expected every combination"):
        load_dsprites(tmp_path, "train")


def test_an_official_file_with_too_few_images_is_refused(tmp_path: Path) -> None:
    images = np.zeros((1, 64, 64), np.uint8)
    np.savez_compressed(tmp_path / OFFICIAL_NAME, latents_classes=official_table(), imgs=images)
    with pytest.raises(BadDataset, match=r"imgs: expected u1 \(737280, 64, 64\), found \|u1 \(1, 64, 64\)"):
        load_dsprites(tmp_path, "train")


def test_an_official_file_whose_pixels_end_early_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / OFFICIAL_NAME, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("latents_classes.npy", "w") as member:
            np.save(member, official_table())
        with archive.open("imgs.npy", "w") as member:
            np.lib.format.write_array_header_1_0(member, HEADER_1)
            member.write(bytes(4096))
    with pytest.raises(BadDataset, match="imgs: the pixels end within the block of row 0"):
        load_dsprites(tmp_path, "train")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_file_in_the_official_layout_is_streamed(tmp_path: Path, fixtures: Path) -> None:
    """Rendered, but for the real rows of the fixture, since the official file cannot be in the repository."""
    packed, index = read_subset(fixtures / "dsprites" / SUBSET_NAME)
    path = tmp_path / OFFICIAL_NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("latents_classes.npy", "w") as member:
            np.save(member, official_table())
        with archive.open("imgs.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, HEADER_1)
            for start in range(0, COUNT, BLOCK_ROWS):
                block = render(classes_of(np.arange(start, start + BLOCK_ROWS))) // 255
                here = (index >= start) & (index < start + BLOCK_ROWS)
                block[index[here] - start] = unpack(packed[here]) // 255
                member.write(block.tobytes())
    np.testing.assert_array_equal(read_official(path, index), packed)
    sets = [load_dsprites(tmp_path, split) for split in ("train", "validation", "test")]
    assert sum(len(images) for images in sets) == len(default_rows())
    assert {images.source for images in sets} == {"official npz"}
