"""The alias mnist over its whole curve, on a hundred images; and how a curve is judged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from benchmarks.whole_curve import QualityPoint, judge, measure_curve
from vaecodec.bitstream.stream import is_exact
from vaecodec.data import load_dataset

FIXTURES = Path(__file__).parents[1] / "fixtures" / "data"
GOOD = [QualityPoint(0, 10.0, 20.0, 0, 0), QualityPoint(50, 20.0, 30.0, 1, 0), QualityPoint(100, 90.0, None, 4, 0)]


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load_dataset("mnist", "test", data_dir=FIXTURES).images[:100]


def test_bytes_of_mnist_grow_with_quality_and_no_lossy_file_reaches_the_exact_one(digits: np.ndarray) -> None:
    points = measure_curve(vaecodec.load("mnist"), digits)
    assert judge(points, 116) == []
    assert [point.exact for point in points][-1] == len(digits)


@pytest.mark.parametrize("name", ["mnist", "mnist-lossless"])
def test_both_names_compress_exactly_and_almost(name: str, digits: np.ndarray) -> None:
    codec = vaecodec.load(name)
    data = codec.compress(digits[0], lossless=True)
    assert is_exact(data)
    np.testing.assert_array_equal(codec.decompress(data), digits[0])
    near = codec.compress(digits[0], max_error=8)
    assert len(near) < len(data)
    assert np.abs(codec.decompress(near).astype(int) - digits[0]).max() <= 8


@pytest.mark.parametrize(
    ("position", "changes", "said"),
    [
        (1, {"mean_bytes": 10.0}, "quality 50: 10.00 bytes, quality 0 has 10.00"),
        (1, {"larger_than_exact": 3}, "quality 50: 3 lossy files not smaller than the exact ones"),
        (2, {"psnr_db": 60.0}, "quality 100: not every image came back exactly"),
        (2, {"mean_bytes": 116.5}, "quality 100: 116.50 bytes, at most 116 allowed"),
    ],
)
def test_what_is_missed_is_said(position: int, changes: dict[str, float], said: str) -> None:
    points = list(GOOD)
    points[position] = replace(points[position], **changes)
    assert judge(GOOD, 116) == []
    assert judge(points, 116) == [said]
