"""Rate-distortion records."""

import dataclasses
import json

import numpy as np
import pytest

from vaecodec.errors import ConfigError
from vaecodec.evaluation.rd import RateCurve, RatePoint, measure_point


def point(file_bytes, psnr_db):
    return RatePoint(
        codec="test",
        setting=f"{file_bytes}",
        images=10,
        file_bytes=file_bytes,
        file_bpp=8 * file_bytes / 784,
        payload_bytes=file_bytes - 7,
        information_bytes=None,
        mse=0.0 if psnr_db is None else 255**2 / 10 ** (psnr_db / 10),
        psnr_db=psnr_db,
        mean_image_psnr_db=psnr_db,
        ms_ssim=0.99,
        ms_ssim_scales=2,
    )


def curve(pairs):
    return RateCurve("test", "mnist", tuple(point(*pair) for pair in pairs))


PAIRS = [(20.0, 20.0), (40.0, 25.0), (80.0, 29.0), (160.0, 33.0)]


def test_a_curve_is_sorted_by_bytes_and_survives_json():
    shuffled = curve([PAIRS[2], PAIRS[0], (300.0, None)])
    assert [p.file_bytes for p in shuffled.points] == [20, 80, 300]
    assert RateCurve.from_dict(json.loads(json.dumps(shuffled.to_dict()))) == shuffled


def test_records_refuse_unknown_and_missing_keys():
    values = point(10.0, 20.0).to_dict()
    with pytest.raises(ConfigError, match="colour"):
        RatePoint.from_dict({**values, "colour": 1})
    with pytest.raises(ConfigError, match="mse"):
        RatePoint.from_dict({key: value for key, value in values.items() if key != "mse"})


def test_measure_point_counts_everything_for_each_image():
    a = np.zeros((2, 28, 28), np.uint8)
    b = a.copy()
    b[1] = 10
    measured = measure_point("x", "1", a, b, file_sizes=[10, 30], payload_sizes=[3, 23], information_bits=[16, 32])
    assert (measured.file_bytes, measured.payload_bytes, measured.information_bytes) == (20, 13, 3)
    assert measured.file_bpp == pytest.approx(8 * 20 / 784)
    assert measured.mse == 50
    assert measured.psnr_db == pytest.approx(10 * np.log10(255**2 / 50))
    assert measured.mean_image_psnr_db is None
    assert not measured.lossless
    assert dataclasses.replace(measured, mse=0.0).lossless


def test_measure_point_refuses_sizes_that_do_not_match_the_images():
    a = np.zeros((2, 28, 28), np.uint8)
    with pytest.raises(ValueError, match="one size for each image"):
        measure_point("x", "1", a, a, file_sizes=[10], payload_sizes=[3, 3])
