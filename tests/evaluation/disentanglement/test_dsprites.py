"""Images that are uniform over the factors."""

import math

import numpy as np
import pytest

from vaecodec.data.dsprites_factors import COUNT, FACTOR_SIZES, classes_of
from vaecodec.errors import DatasetMissing
from vaecodec.evaluation.disentanglement import drawn_images, real_images
from vaecodec.evaluation.disentanglement.dsprites import SOURCE_BITS, uniform_part


def test_drawn_images_are_different_rows_of_the_full_grid():
    found = drawn_images(300, rng=np.random.default_rng(0))
    assert found.images.shape == (300, 64, 64)
    assert len(np.unique(found.rows)) == 300
    assert (found.truth.factors == classes_of(found.rows)).all()
    assert "procedural" in found.label


def test_a_grid_is_thinned_to_its_part_of_all_images():
    """A random twentieth of all rows with the whole grid, as in the given subset."""
    rng = np.random.default_rng(0)
    rows = np.arange(COUNT)
    _, _, orientation, x, y = classes_of(rows).T
    on_grid = (orientation % 4 == 0) & (x % 2 == 0) & (y % 2 == 0)
    index = np.flatnonzero(on_grid | (rng.random(COUNT) < 0.05))
    kept = uniform_part(index, rng)
    assert on_grid[index[kept]].mean() == pytest.approx(on_grid.mean(), abs=1e-4)
    assert (np.diff(kept) > 0).all()
    orientations = np.bincount(classes_of(index[kept])[:, 2])
    assert orientations.min() > 0.8 * orientations.mean()


def test_the_given_subset_made_uniform_has_each_class_about_equally_often(tmp_path):
    import os
    from pathlib import Path

    folder = Path(os.environ.get("VAECODEC_DATA", tmp_path))
    if not (folder / "dsprites" / "dsprites-real-60k.npz").is_file():
        pytest.skip("needs the whole data sets: set VAECODEC_DATA to a folder with mnist/ and dsprites/")
    found = real_images(10**6, rng=np.random.default_rng(0), data_dir=folder)
    assert len(found) == 18_526
    for factor, size in enumerate(FACTOR_SIZES):
        counts = np.bincount(found.truth.factors[:, factor], minlength=size)
        expected = len(found) / size
        assert np.abs(counts - expected).max() < 5 * math.sqrt(expected)


def test_no_file_is_data_that_is_missing(tmp_path):
    with pytest.raises(DatasetMissing, match="no file dsprites_ndarray"):
        real_images(10, rng=np.random.default_rng(0), data_dir=tmp_path)


def test_the_source_holds_no_more_than_different_images_would():
    assert math.log2(COUNT) - 0.05 < SOURCE_BITS < math.log2(COUNT)
