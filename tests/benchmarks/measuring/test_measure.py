"""What the benchmarks measure of a model at each of its levels agrees with what the codec does."""

from pathlib import Path

import numpy as np
import pytest

from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.modelfile.model import read_model

pytest.importorskip("torch")

from benchmarks import exactness
from benchmarks.measuring.measure import levels_to_measure, measure_codec, measure_curve, measure_model, measure_set

TESTS = Path(__file__).parents[2]
PATH = TESTS / "golden" / "v1" / "levels.vaem"
CODEC = Codec(read_model(PATH))
IMAGES = load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data").images[:30]


@pytest.mark.parametrize("every", [1, 3, 7, 100])
def test_some_of_the_levels_always_hold_the_coarsest_and_the_finest(every):
    levels = levels_to_measure(CODEC.model, every)
    assert (levels[0], levels[-1]) == (0, 7)
    assert all(level % every == 0 for level in levels[:-1])


def test_a_point_is_of_the_level_that_it_names():
    for level in (0, 7):
        point, symbols = measure_codec(CODEC, IMAGES, level)
        streams = CODEC.compress_batch(IMAGES, level=level)
        assert point.file_bytes == pytest.approx(np.mean([len(data) for data in streams]))
        assert point.information_bytes == pytest.approx(CODEC.lossy.information_bits(symbols, level).mean() / 8)
        assert point.payload_bytes == point.file_bytes - 7
        assert point.setting == f"level {level}, beta {CODEC.model.levels[level].beta:.4g}"
        errors = np.square(CODEC.lossy.synthesise(symbols, level).astype(float) - IMAGES)
        assert point.mse == pytest.approx(errors.mean())


def test_a_curve_rises_in_bytes_and_falls_in_the_objectives_distortion():
    points = list(measure_curve(CODEC, PATH, IMAGES, None, every=7))
    assert [point.level for point in points] == [0, 7]
    assert [point.beta for point in points] == [CODEC.model.levels[k].beta for k in (0, 7)]
    assert points[0].point.file_bytes < points[1].point.file_bytes
    assert points[0].distortion_nats > points[1].distortion_nats
    # Gaussian likelihood with σ = 0.1: the distortion in nats is the squared error, but for the pixels' rounding.
    for point in points:
        assert point.distortion_nats == pytest.approx(point.point.mse * 784 / 255**2 / 0.02, rel=0.02)
    assert measure_model(CODEC, PATH, IMAGES, None).level == CODEC.model.default_level
    assert points[0].to_dict()["level"] == 0


def test_a_set_in_memory_has_the_point_that_files_have():
    found, (expected, _) = measure_set(CODEC, IMAGES, 4), measure_codec(CODEC, IMAGES, 4)
    assert (found.images, found.file_bytes) == (len(IMAGES), pytest.approx(expected.file_bytes))
    assert found.psnr_db == pytest.approx(expected.psnr_db)
    assert found.information_bytes == pytest.approx(expected.information_bytes)


def test_exactness_holds_at_every_level_asked_for():
    assert exactness.chosen_levels(CODEC, None) == [CODEC.model.default_level]
    assert exactness.chosen_levels(CODEC, 4) == [0, 4, 7]
    result = exactness.measure(CODEC, str(PATH), IMAGES[:6], 5)
    assert (result["level"], result["beta"]) == (5, CODEC.model.levels[5].beta)
    assert all(kept for bar, kept in result["bars"].items() if not bar.startswith("payload"))
