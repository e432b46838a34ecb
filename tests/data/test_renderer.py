"""The renderer against real pixels."""

from pathlib import Path

import numpy as np
import pytest

from vaecodec.data.dsprites import SUBSET_NAME, read_subset
from vaecodec.data.dsprites_factors import COUNT, SHAPES, check_rows, classes_of, default_rows, pack, unpack
from vaecodec.data.dsprites_renderer import load_rendered, render
from vaecodec.errors import ConfigError

# shape -> (mean wrong pixels an image at most, share of images exact at least); measured over all real images given:
# 0.05 and 0.96, 0.12 and 0.89, 0.08 and 0.93
BOUNDS = {"square": (0.15, 0.92), "ellipse": (0.25, 0.82), "heart": (0.2, 0.86)}


def wrong_pixels(subset: Path, shape: int) -> np.ndarray:
    packed, index = read_subset(subset)
    classes = classes_of(index)
    of_shape = classes[:, 0] == shape
    return np.unpackbits(pack(render(classes[of_shape])) ^ packed[of_shape], axis=1).sum(axis=1)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_renderer_agrees_with_real_pixels(fixtures: Path, shape: str) -> None:
    wrong = wrong_pixels(fixtures / "dsprites" / SUBSET_NAME, SHAPES.index(shape))
    most, exact = BOUNDS[shape]
    assert len(wrong) >= 100
    assert wrong.mean() <= most
    assert (wrong == 0).mean() >= exact


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_the_renderer_agrees_with_all_real_pixels_given(whole_data: Path, shape: str) -> None:
    wrong = wrong_pixels(whole_data / "dsprites" / SUBSET_NAME, SHAPES.index(shape))
    most, exact = BOUNDS[shape]
    assert wrong.mean() <= most * 0.75
    assert (wrong == 0).mean() >= exact + 0.03


def test_drawn_images_are_0_and_255_and_do_not_depend_on_the_batch() -> None:
    classes = classes_of(np.arange(0, COUNT, 2503))
    images = render(classes)
    assert images.dtype == np.uint8
    assert set(np.unique(images)) == {0, 255}
    for at in (0, 100, 290):
        np.testing.assert_array_equal(render(classes[at : at + 1])[0], images[at])


def test_orientation_39_repeats_orientation_0() -> None:
    classes = classes_of(np.arange(0, COUNT, 40 * 1024)[:18])
    last = classes.copy()
    last[:, 2] = 39
    wrong = (render(classes) != render(last)).sum(axis=(1, 2))
    assert wrong.mean() < 0.5


def test_nothing_is_drawn_for_no_classes() -> None:
    assert render(np.zeros((0, 5), dtype=np.int64)).shape == (0, 64, 64)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([[0, 6, 0, 0, 0]], "expected scale from 0 to 5, found 6 to 6"),
        ([[0, 0, 0, -1, 0]], "expected x from 0 to 31, found -1 to -1"),
        ([[0, 0, 0, 0]], r"expected shape \(n, 5\), found \(1, 4\)"),
    ],
)
def test_classes_out_of_range_are_refused(classes: list[list[int]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        render(np.array(classes))


def test_a_rendered_set_says_that_it_is_procedural() -> None:
    rows = np.arange(0, COUNT, 9001)
    sets = [load_rendered(split, rows=rows) for split in ("train", "validation", "test")]
    assert {images.source for images in sets} == {"procedural"}
    assert {images.name for images in sets} == {"dsprites-rendered"}
    assert sum(len(images) for images in sets) == len(rows)


def test_the_default_rows_are_fixed_and_spread_evenly() -> None:
    rows = default_rows()
    assert rows[:5].tolist() == [0, 13, 26, 34, 47]
    assert len(rows) == COUNT // 12
    for column in classes_of(rows).T:
        counts = np.bincount(column)
        assert counts.min() > 0.98 * counts.mean()


def test_unpacking_inverts_packing() -> None:
    images = render(classes_of(np.arange(0, COUNT, 40_009)))
    np.testing.assert_array_equal(unpack(pack(images)), images)


@pytest.mark.parametrize("rows", [[], [0.5], [-1], [COUNT], [[0]]])
def test_rows_outside_the_data_set_are_refused(rows: list) -> None:
    with pytest.raises(ConfigError, match="rows: expected"):
        check_rows(rows)
