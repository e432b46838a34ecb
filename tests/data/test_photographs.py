"""Packs and folders of photographs."""

import io

import numpy as np
import pytest
from PIL import Image

from vaecodec.data.photographs import load_photographs
from vaecodec.errors import BadDataset, ConfigError, DatasetMissing


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_pack(path, pictures, *, cut=0):
    files = []
    for pixels in pictures:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        files.append(file.getvalue())
    blob = np.frombuffer(b"".join(files), np.uint8)
    offsets = np.cumsum([0, *map(len, files)]).astype(np.int64)
    np.savez(path, blob=blob[: len(blob) - cut], offsets=offsets)


def test_a_pack_gives_its_crops_in_order(tmp_path):
    pictures = [picture(16, 16, seed) for seed in range(3)]
    write_pack(tmp_path / "pack.npz", pictures)
    assert np.array_equal(load_photographs(tmp_path / "pack.npz", side=16), np.stack(pictures))


def test_a_pack_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(DatasetMissing, match="no such file"):
        load_photographs(tmp_path / "pack.npz")


def test_offsets_that_do_not_fit_are_refused(tmp_path):
    write_pack(tmp_path / "pack.npz", [picture(16, 16)], cut=1)
    with pytest.raises(BadDataset, match="offsets"):
        load_photographs(tmp_path / "pack.npz", side=16)


def test_crops_of_another_size_are_refused(tmp_path):
    write_pack(tmp_path / "pack.npz", [picture(16, 12)])
    with pytest.raises(BadDataset, match="16x12, expected 16x16"):
        load_photographs(tmp_path / "pack.npz", side=16)


def test_a_damaged_crop_is_refused(tmp_path):
    blob = np.frombuffer(b"no picture at all", np.uint8)
    np.savez(tmp_path / "pack.npz", blob=blob, offsets=np.array([0, len(blob)], np.int64))
    with pytest.raises(BadDataset, match="cannot read"):
        load_photographs(tmp_path / "pack.npz", side=16)


def test_a_folder_gives_crops_of_photographs_and_of_their_halves(tmp_path):
    Image.fromarray(picture(40, 70)).save(tmp_path / "a.png")
    Image.fromarray(picture(15, 70)).save(tmp_path / "too-flat.png")
    crops = load_photographs(tmp_path, side=16)
    assert crops.shape == (8 + 2, 16, 16, 3)
    assert crops[8:].std() < crops[:8].std()
    assert np.array_equal(crops, load_photographs(tmp_path, side=16))
    assert not np.array_equal(crops, load_photographs(tmp_path, side=16, seed=1))


def test_a_folder_of_small_photographs_is_refused(tmp_path):
    Image.fromarray(picture(8, 8)).save(tmp_path / "a.png")
    with pytest.raises(BadDataset, match="smaller than"):
        load_photographs(tmp_path, side=16)
    with pytest.raises(ConfigError, match="side"):
        load_photographs(tmp_path, side=0)
