"""Photographs through files of Pillow's formats, and what is measured of them."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measuring.photo_codecs import PhotoCodec, anchors, pillow_codec
from benchmarks.measuring.photo_points import PhotoMeasure, measure, measured_once, point_of
from benchmarks.measuring.photo_sets import PhotoSet

ROWS, COLUMNS = np.mgrid[:200, :180]
SMOOTH = np.stack([ROWS, COLUMNS, (ROWS + COLUMNS) // 2], axis=-1).astype(np.uint8)
SET = PhotoSet("smooth", "drawn", ("a", "b"), (SMOOTH, np.ascontiguousarray(SMOOTH[:, ::-1])))


def off_by(error: int) -> PhotoCodec:
    """Files of the pixels themselves, from which one channel comes back wrong."""

    def decode(data: bytes) -> np.ndarray:
        pixels = np.frombuffer(data, np.uint8).reshape(SMOOTH.shape).copy()
        pixels[..., 1] = np.clip(pixels[..., 1].astype(int) + error, 0, 255)
        return pixels

    return PhotoCodec("raw", f"off by {error}", lambda pixels: pixels.tobytes(), decode)


def test_bytes_are_those_of_the_file_and_the_error_is_over_all_channels(tmp_path: Path) -> None:
    found = measure(off_by(3), "a", SMOOTH, tmp_path)
    assert (tmp_path / "a").stat().st_size == found.file_bytes == SMOOTH.size
    assert found.file_bpp == 24
    assert found.mse == pytest.approx(9 / 3)
    assert found.ms_ssim < 1


def test_means_are_over_photographs() -> None:
    measured = [PhotoMeasure("a", 100, 1.0, 10.0, 0.9), PhotoMeasure("b", 300, 2.0, 1000.0, 0.7)]
    point = point_of(off_by(0), measured, SMOOTH)
    assert (point.file_bytes, point.file_bpp, point.mse, point.photographs) == (200, 1.5, 505, 2)
    assert point.mean_image_psnr_db == pytest.approx(10 * np.log10(255**2 / 100))  # the geometric mean of 10 and 1000
    assert point.psnr_db == pytest.approx(10 * np.log10(255**2 / 505))
    assert point.ms_ssim == pytest.approx(0.8)
    assert point.ms_ssim_scales == 5


def test_a_codec_that_gives_another_size_back_is_no_codec(tmp_path: Path) -> None:
    broken = PhotoCodec("cut", "", lambda pixels: b"1", lambda data: SMOOTH[:-1])
    with pytest.raises(AssertionError, match="comes back as"):
        measure(broken, "a", SMOOTH, tmp_path)


def test_what_was_measured_is_kept_and_not_measured_again(tmp_path: Path) -> None:
    first = measured_once(off_by(5), SET, tmp_path)
    wrong = PhotoCodec("raw", "off by 5", lambda pixels: b"never", lambda data: SMOOTH)
    again = measured_once(wrong, SET, tmp_path)
    assert [one.file_bytes for one in again] == [one.file_bytes for one in first]
    assert again[0].mse == pytest.approx(first[0].mse, rel=1e-5)


def test_a_run_that_was_cut_short_goes_on_with_the_next_photograph(tmp_path: Path) -> None:
    def fails_at_the_second(pixels: np.ndarray) -> bytes:
        if pixels is SET.images[1]:
            raise KeyboardInterrupt
        return pixels.tobytes()

    whole = off_by(5)
    with pytest.raises(KeyboardInterrupt):
        measured_once(PhotoCodec("raw", "off by 5", fails_at_the_second, whole.decode), SET, tmp_path)
    started: list[str] = []
    counting = PhotoCodec("raw", "off by 5", lambda pixels: started.append("one") or whole.encode(pixels), whole.decode)
    assert [one.name for one in measured_once(counting, SET, tmp_path)] == ["a", "b"]
    assert started == ["one"]


def test_more_quality_is_more_bytes_and_less_error(tmp_path: Path) -> None:
    low, high = (measure(pillow_codec("WebP", "WEBP", q, method=0), "a", SMOOTH, tmp_path) for q in (0, 90))
    assert low.file_bytes < high.file_bytes
    assert low.mse > high.mse


def test_every_anchor_codes_colour(tmp_path: Path) -> None:
    cheapest = {codec.name: codec for codec in reversed(list(anchors()))}
    assert {"WebP m6", "JPEG"} <= cheapest.keys()
    for codec in cheapest.values():
        assert measure(codec, "a", SMOOTH, tmp_path).mse < 200
