"""Splits are disjoint, complete, deterministic, and no picture is on both sides."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaecodec.data.dsprites import load_dsprites
from vaecodec.data.dsprites_factors import pack
from vaecodec.data.dsprites_renderer import load_rendered
from vaecodec.data.splits import SPLITS, check_split, in_split
from vaecodec.errors import ConfigError


@given(st.lists(st.binary(min_size=4, max_size=4), min_size=1, max_size=50))
def test_every_image_is_in_exactly_one_split_and_equal_ones_in_the_same(rows: list[bytes]) -> None:
    twice = np.frombuffer(b"".join(rows + rows), dtype=np.uint8).reshape(-1, 2, 2)
    masks = np.stack([in_split(twice, split) for split in SPLITS])
    assert (masks.sum(axis=0) == 1).all()
    np.testing.assert_array_equal(masks[:, : len(rows)], masks[:, len(rows) :])


def test_about_one_in_twenty_is_for_the_test_and_as_many_for_validation() -> None:
    rows = np.arange(20_000, dtype=np.uint32).view(np.uint8).reshape(-1, 4)
    shares = [in_split(rows, split).mean() for split in SPLITS]
    np.testing.assert_allclose(shares, [230 / 256, 13 / 256, 13 / 256], atol=0.005)


def test_the_split_of_a_known_row_of_bytes_never_changes() -> None:
    rows = np.arange(64, dtype=np.uint8).reshape(-1, 1)
    assert np.flatnonzero(in_split(rows, "test")).tolist() == [3, 10, 36]
    assert np.flatnonzero(in_split(rows, "validation")).tolist() == [57]


def test_an_unknown_split_lists_the_ones_there_are() -> None:
    with pytest.raises(ConfigError, match="'val': expected one of train, validation, test"):
        check_split("val")


def pictures(images: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in pack(images)}


@pytest.mark.parametrize("other", ["train", "validation"])
def test_no_real_test_picture_is_in_another_split(fixtures: Path, other: str) -> None:
    test = load_dsprites(fixtures / "dsprites", "test")
    assert not pictures(test.images) & pictures(load_dsprites(fixtures / "dsprites", other).images)


def test_a_rendered_picture_of_the_training_split_is_never_a_real_one_of_the_test_split(fixtures: Path) -> None:
    real = {split: load_dsprites(fixtures / "dsprites", split) for split in SPLITS}
    rows = np.concatenate([np.ravel_multi_index(images.labels.T, (3, 6, 40, 32, 32)) for images in real.values()])
    rendered = load_rendered("train", rows=rows)
    assert len(pictures(rendered.images) & pictures(real["train"].images)) > 200
    assert not pictures(rendered.images) & pictures(real["test"].images)


def test_loading_twice_gives_the_same_pixels(fixtures: Path) -> None:
    first, second = (load_dsprites(fixtures / "dsprites", "train") for _ in range(2))
    assert first.sha256 == second.sha256
