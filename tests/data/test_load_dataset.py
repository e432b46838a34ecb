"""load_dataset: where it looks, what it refuses, and the record it gives."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaecodec.data
from vaecodec.data import ImageSet, load_dataset
from vaecodec.data.location import data_folder
from vaecodec.data.registry import DATASETS, register
from vaecodec.data.splits import SPLITS, in_split
from vaecodec.errors import BadDataset, ConfigError, DatasetMissing


def test_the_argument_goes_before_the_variable_and_that_before_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECODEC_DATA", "/by/variable")
    assert data_folder("/by/argument") == Path("/by/argument")
    assert data_folder() == Path("/by/variable")
    monkeypatch.setenv("VAECODEC_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert "vaecodec" in data_folder().parts


def test_data_sets_are_found_by_argument(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECODEC_DATA", "/nowhere")
    assert len(load_dataset("mnist", "test", data_dir=fixtures)) == 256


def test_data_sets_are_found_by_variable(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECODEC_DATA", str(fixtures))
    assert len(load_dataset("mnist", "train")) == 235
    assert load_dataset("dsprites", "train").source == "real subset"


def test_rendered_sprites_need_no_files(tmp_path: Path) -> None:
    rendered = load_dataset("dsprites-rendered", "train", data_dir=tmp_path, rows=range(0, 737_280, 20_011))
    assert rendered.source == "procedural"
    assert rendered.geometry == (64, 64)


def test_mixed_sprites_are_real_ones_with_drawn_ones_beside_them_for_training(fixtures: Path) -> None:
    rows = range(0, 737_280, 20_011)
    mixed, real, drawn = (
        load_dataset(name, "train", data_dir=fixtures, rows=chosen)
        for name, chosen in (("dsprites-mixed", rows), ("dsprites", None), ("dsprites-rendered", rows))
    )
    np.testing.assert_array_equal(mixed.images, np.concatenate([real.images, drawn.images]))
    assert mixed.source == "real subset and procedural"
    for split in ("validation", "test"):
        assert load_dataset("dsprites-mixed", split, data_dir=fixtures).source == "real subset"


def test_a_folder_is_loaded_by_its_path(tmp_path: Path) -> None:
    for level in range(40):
        Image.new("L", (9, 7), level).save(tmp_path / f"{level}.png")
    images = load_dataset(tmp_path, "train")
    assert images.geometry == (7, 9)
    assert load_dataset(str(tmp_path), "train", resize=(5, 5)).geometry == (5, 5)


def test_an_unknown_name_lists_the_data_sets_there_are() -> None:
    with pytest.raises(DatasetMissing, match="there are dsprites, dsprites-mixed, dsprites-rendered, mnist"):
        load_dataset("mnits", "train")


def test_an_unknown_split_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ConfigError, match="unknown split 'dev'"):
        load_dataset("mnist", "dev", data_dir="/nowhere")


@pytest.mark.parametrize(
    ("name", "options"),
    [("mnist", {"resize": (8, 8)}), ("dsprites", {"grey": True}), ("mnist", {"rows": [1]}), (".", {"rows": [1]})],
)
def test_an_option_that_the_data_set_does_not_have_is_refused(fixtures: Path, name: str, options: dict) -> None:
    with pytest.raises(ConfigError, match=r"option"):
        load_dataset(name, "train", data_dir=fixtures, **options)


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "only.png")
    taken = [split for split in SPLITS if in_split(np.zeros((1, 8, 8), np.uint8), split)[0]]
    assert len(load_dataset(tmp_path, taken[0])) == 1
    for split in set(SPLITS) - set(taken):
        with pytest.raises(BadDataset, match=f"none falls into the split '{split}'"):
            load_dataset(tmp_path, split)


def test_registering_a_name_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="registered already"):
        register("mnist", DATASETS["mnist"])


def test_the_hash_is_that_of_the_pixels(fixtures: Path) -> None:
    test = load_dataset("mnist", "test", data_dir=fixtures)
    assert test.sha256 == hashlib.sha256(test.images.tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("images", "labels", "names"),
    [
        (np.zeros((2, 4, 4), np.float32), None, ()),
        (np.zeros((2, 4), np.uint8), None, ()),
        (np.zeros((2, 4, 4, 2), np.uint8), None, ()),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(3, np.int64), ("digit",)),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(2, np.int32), ("digit",)),
        (np.zeros((2, 4, 4), np.uint8), np.zeros((2, 2), np.int64), ("digit",)),
        (np.zeros((2, 4, 4), np.uint8), None, ("digit",)),
    ],
)
def test_a_record_whose_parts_do_not_fit_is_refused(images, labels, names) -> None:
    with pytest.raises(BadDataset):
        ImageSet("x", "train", images, labels, names, "folder")


def test_the_public_names_are_importable_and_sorted() -> None:
    assert vaecodec.data.__all__ == sorted(vaecodec.data.__all__)
    assert all(hasattr(vaecodec.data, name) for name in vaecodec.data.__all__)


def test_the_whole_real_sprites_split_5_percent_for_the_test(whole_data: Path) -> None:
    sizes = {split: len(load_dataset("dsprites", split, data_dir=whole_data)) for split in ("validation", "test")}
    assert sizes == {"validation": 3086, "test": 3108}
