"""Rate control is measured by the streams themselves, and judged by the bars."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import targets
from benchmarks.targets import Reached, bytes_row, measure, psnr_row, reach
from vaecodec.codec.codec import load
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.errors import TargetMissed

TESTS = Path(__file__).parents[1]
MODEL = TESTS / "golden" / "v1" / "levels.vaem"
CODEC = load(MODEL)
IMAGES = load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data").images[:24]


def reached(sizes, errors=None, images=1000):
    return Reached(images, np.array(sizes, np.int64), np.array(errors or [10.0] * len(sizes)), 1.0)


def test_the_targets_are_those_that_were_asked_for():
    assert (targets.TARGET_BYTES, targets.TARGET_PSNR_DB) == ((16, 24, 32, 48, 64), (20, 25, 30))


@pytest.mark.parametrize(
    ("most", "sizes", "holds"),
    [
        (24, [23] * 990, True),
        (24, [23] * 989, False),  # more than 1 % refused
        (24, [22] * 1000, False),  # two bytes unused
        (24, [25] + [23] * 999, False),  # one stream too large
        (16, [10] * 10, True),  # nothing is asked below 24 bytes but that no stream is too large
        (16, [17] + [10] * 10, False),
        (24, [], False),
    ],
)
def test_a_target_in_bytes_holds_or_does_not(most, sizes, holds):
    row = bytes_row(most, reached(sizes))
    assert row.holds is holds
    assert row.refused == 1000 - len(sizes)
    assert targets.describe(row, "bytes").endswith("holds" if holds else "MISSED")


@pytest.mark.parametrize(
    ("errors", "holds"), [([100.0] * 999, True), ([100.0] * 998, False), ([700.0] + [100.0] * 999, False)]
)
def test_a_target_in_db_holds_or_does_not(errors, holds):
    row = psnr_row(20, reached([20] * len(errors), errors))  # 20 dB: a mean squared error of 650
    assert row.holds is holds
    assert row.broken == (errors[0] > 650)


def test_every_image_has_a_stream_within_the_target_or_is_refused():
    smallest = [len(CODEC.compress(image, level=0)) for image in IMAGES]
    most = int(np.median(smallest))
    found = reach(CODEC, IMAGES, Target(target_bytes=most))
    assert found.sizes.max() <= most
    assert found.refused <= sum(size > most for size in smallest)
    assert reach(CODEC, IMAGES, Target(target_bytes=8)).refused == len(IMAGES)
    with pytest.raises(TargetMissed):
        CODEC.compress(IMAGES[0], target_bytes=8)


def test_errors_are_of_the_images_that_the_streams_decode_to():
    found = reach(CODEC, IMAGES, Target(target_psnr=11))
    streams = CODEC.compress_batch(IMAGES[:1], target=Target(target_psnr=11))
    decoded = CODEC.decompress(streams[0]).astype(float)
    assert found.refused == 0
    assert found.errors[0] == pytest.approx(np.square(decoded - IMAGES[0]).mean())


def test_the_script_stores_a_row_for_each_target(tmp_path, monkeypatch):
    monkeypatch.setenv("VAECODEC_DATA", str(TESTS / "fixtures" / "data"))
    path = tmp_path / "targets.json"
    code = targets.main(["--model", str(MODEL), "--images", "10", "--out", str(path)])
    result = json.loads(path.read_text(encoding="utf-8"))
    assert [row["target"] for row in result["target_bytes"]] == [16, 24, 32, 48, 64]
    assert [row["target"] for row in result["target_psnr_db"]] == [20, 25, 30]
    assert all(row["broken"] == 0 for row in result["target_bytes"] + result["target_psnr_db"])
    assert code == (not result["every_bar_holds"])


def test_effort_breaks_no_target():
    result = measure(CODEC, IMAGES[:6], effort=1)
    assert all(row["broken"] == 0 for row in result["target_bytes"] + result["target_psnr_db"])
