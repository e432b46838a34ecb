"""Anchors that know dSprites by heart, on the few images of the fixtures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import dsprites_anchors
from benchmarks.dsprites_anchors import copied, drawn
from vaecodec.data import load_dataset

DATA = Path(__file__).parents[1] / "fixtures" / "data"


@pytest.fixture(scope="module")
def sets():
    return [load_dataset("dsprites", split, data_dir=DATA) for split in ("train", "test")]


def test_the_nearest_image_is_the_one_with_the_fewest_other_pixels(sets, monkeypatch):
    training, test = sets
    monkeypatch.setattr(dsprites_anchors, "CHUNK", 7)  # more than one
    found = copied(training, test, 5)
    chosen = test.images[np.linspace(0, len(test) - 1, 5).round().astype(int)]
    errors = [min((image != other).mean() for other in training.images) * 255**2 for image in chosen]
    assert found["psnr_db"] == pytest.approx(10 * np.log10(255**2 / np.mean(errors)))
    assert copied(training, training, 5)["psnr_db"] == float("inf")


def test_drawn_images_cost_their_index_and_the_wrong_pixels(sets):
    """The fixtures are drawn ones, so none is wrong until one is changed."""
    training, test = sets
    images = test.images.copy()
    images[0, 0, 0] ^= 255
    plain, found = drawn(training, test), drawn(training, replace(test, images=images))
    assert plain["exact_without_residual"] == 1
    assert found["exact_without_residual"] == pytest.approx(1 - 1 / len(test))
    assert found["index_only_psnr_db"] == pytest.approx(10 * np.log10(images.size))
    assert plain["residual_bits"] < 0.5 < found["residual_bits"] * len(test)
    assert 7 + plain["index_bits"] / 8 < plain["file_bytes"] == 10
