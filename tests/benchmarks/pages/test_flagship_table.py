"""The tables and lines of the flagships, of made-up results; and the figure with a flagship in it."""

import json

import pytest

pytest.importorskip("bjontegaard")

from benchmarks.measuring.machine import RESULTS
from benchmarks.measuring.measure import LevelPoint
from benchmarks.pages import figure, flagship_table, readme_tables, results_page
from benchmarks.studies.flagship_bars import BARS, judge_rate, judge_size
from benchmarks.studies.flagship_rivals import Rival, compare, curve_of
from vaecodec.evaluation.rd import RateCurve, RatePoint


def rate_point(file_bytes, psnr_db):
    return RatePoint(
        codec="x",
        setting="x",
        images=10,
        file_bytes=file_bytes,
        file_bpp=8 * file_bytes / 784,
        payload_bytes=file_bytes - 7,
        information_bytes=file_bytes - 7.3,
        mse=255**2 / 10 ** (psnr_db / 10),
        psnr_db=psnr_db,
        mean_image_psnr_db=psnr_db,
        ms_ssim=1 - 10 ** (-psnr_db / 10),
        ms_ssim_scales=2,
    )


CURVE = [(12.0, 18.0), (17.0, 20.5), (21.0, 23.0), (33.0, 26.5), (80.0, 31.5), (120.0, 36.0)]
WEBP = RateCurve("WebP", "mnist", tuple(rate_point(a, b) for a, b in ((96.0, 22.0), (150.0, 31.0), (240.0, 40.0))))
ZOO = RateCurve("mnist-beta-vae-1", "mnist", (rate_point(25.8, 24.9),))


def effort_of(effort, factor):
    levels = [LevelPoint(k, 2.0**-k, effort, 90, rate_point(factor * a, b)) for k, (a, b) in enumerate(CURVE)]
    ours, bars = curve_of("flagship", "mnist", levels), BARS["mnist"]
    return {
        "effort": effort,
        "levels": [one.to_dict() for one in levels],
        "bars": {
            "sizes": [judge_size(bar, levels).to_dict() for bar in bars.sizes],
            "rates": [judge_rate(bar, ours, WEBP).to_dict() for bar in bars.rates],
        },
        "beside": [compare(Rival(curve, "x"), levels).to_dict() for curve in (WEBP, ZOO)],
        "bd_rate_against_lowest_effort_per_cent": {"psnr": -5.0, "ms_ssim": -4.0} if effort else None,
        "compress": {"images": 10, "level": 2, "ms": 0.1, "core_ms": 0.1 + effort},
    }


def flagship_result():
    train = {"images": 10, "file_bytes": 11.0, "information_bytes": 4.0, "psnr_db": 19.0}
    gap = [{"level": k, "train": train, "validation": train} for k in range(len(CURVE))]
    model = {"name": "mnist-flagship-9", "model_bytes": 7_000_000, "levels": 6, "default_level": 2}
    return json.loads(json.dumps({"model": model, "efforts": [effort_of(0, 1.0), effort_of(1, 0.9)], "gap": gap}))


def test_without_results_nothing_of_them_is_shown(tmp_path):
    text = results_page.render(tmp_path)
    assert "flagship" not in text
    assert "BD-rate" not in text


def test_a_flagship_has_its_curve_its_rivals_and_its_bars(tmp_path):
    (tmp_path / "flagship-mnist.json").write_text(json.dumps(flagship_result()), encoding="utf-8")
    text = results_page.render(tmp_path)
    assert "mnist-flagship-9, one model of 7,000,000 bytes for the whole curve: 6 levels from 12.0 bytes" in text
    assert "| 1 | 0.5 | 90 | 17.0 | 10.0 | 9.7 | 20.50 | 0.9911 | 11.0 | 19.00 |" in text
    assert "| WebP | -" in text
    assert "- mnist, at least 20 dB for at most 17.5 bytes: effort 0 17.00 at 20.50 dB, holds; effort 1 15.30" in text
    assert "- mnist, at least 26 dB for at most 32 bytes: effort 0 33.00 at 26.50 dB, MISSED by 1.00; effort 1" in text
    assert "- mnist, BD-rate against WebP over 22.8 to 34.9 dB at most -50 %: effort 0 -" in text
    assert "- mnist, beside mnist-beta-vae-1, 25.8 bytes at 24.90 dB: effort 0 33.0 bytes; effort 1 29.7 bytes" in text
    assert "effort 1: -5.0 % bytes (BD-rate, PSNR) against effort 0, 1.10 ms of one core an image" in text


def test_the_readme_has_the_flagships_levels_its_savings_and_the_exact_files(tmp_path):
    for name in ("rate-distortion-mnist.json", "classical-mnist.json"):
        (tmp_path / name).write_text((RESULTS / name).read_text(encoding="utf-8"), encoding="utf-8")
    assert "flagship" not in readme_tables.summary(tmp_path)
    lossless = {
        "model": {"name": "mnist-lossless-9"},
        "files": {"images": 10000, "bytes": 115.52, "bits_per_pixel": 1.1788},
        "archive": {"bytes_per_image": 108.31, "bits_per_pixel": 1.1052},
    }
    for name, result in (("flagship-mnist", flagship_result()), ("lossless-mnist", lossless)):
        (tmp_path / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")
    text = readme_tables.summary(tmp_path)
    assert "| **mnist-flagship-9**, level 1 | 17.0 | 0.173 | 10.0 | 9.7 | 20.50 | 0.9911 (2 scales) |" in text
    assert "| **mnist-lossless-9**, lossless | 115.5 | 1.179 |  |  | exact |  |" in text
    assert "| **mnist-lossless-9**, lossless, archive of 10,000 | 108.3 | 1.105 |  |  | exact |  |" in text
    assert "BD-rate of mnist-flagship-9 (PSNR; at effort 0, 1) against WebP -" in text
    assert "mnist-beta-vae-1 -" not in text  # a single point has no BD-rate


def test_targets_five_betas_and_speed_have_their_lines(tmp_path):
    row = {"target": 24, "broken": 0, "refused_share": 0.002, "unused_bytes": 0.4, "holds": True}
    short = {"target": 30, "broken": 0, "refused_share": 0.2, "unused_bytes": None, "holds": False}
    data = {"images": 10000}
    targets = {"model": "m", "data": data, "target_bytes": [row], "target_psnr_db": [short]}
    rates = {"psnr": 1.5, "ms_ssim": -0.5}
    five = {
        "missing": [],
        "pairs": [{}] * 5,
        "steps": 20000,
        "bd_rate_per_cent": rates,
        "most_per_cent": 2.0,
        "holds": True,
    }
    bar = {"task": "decompress", "against": "webp_decode", "times_as_fast": 3.21, "wanted": 3.0, "holds": True}
    speed = {"model": "m", "data": data, "bars": [bar]}
    for name, result in (("targets-mnist", targets), ("five-betas-mnist", five), ("speed", speed)):
        (tmp_path / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")
    text = results_page.render(tmp_path)
    assert "targets in bytes on 10,000 test images: 24: 0 missed, 0.20% refused, 0.40 bytes unused" in text
    assert "targets in dB on 10,000 test images: 30: 0 missed, 20.00% refused (bar MISSED)" in text
    assert "trained for 20,000 steps: BD-rate +1.50 % (PSNR), -0.50 % (MS-SSIM); at most +2 %: holds" in text
    assert "decompress 3.2 × webp_decode (at least 3: holds)" in text
    part = {**five, "missing": [{"name": "x", "state": "absent"}]}
    assert flagship_table.five_betas_lines(part) == ["one model against separate ones: 1 runs are missing"]


def test_the_figure_is_drawn_with_and_without_a_flagship_and_a_lossless_model(tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("rate-distortion-mnist.json", "classical-mnist.json"):
        (tmp_path / name).write_text((RESULTS / name).read_text(encoding="utf-8"), encoding="utf-8")
    without = figure.draw_stored(tmp_path).read_bytes()
    (tmp_path / "flagship-mnist.json").write_text(json.dumps(flagship_result()), encoding="utf-8")
    without_lossless = figure.draw_stored(tmp_path).read_bytes()
    assert without_lossless != without
    (tmp_path / "lossless-mnist.json").write_text(json.dumps({"files": {"bytes": 115.5}}), encoding="utf-8")
    assert figure.draw_stored(tmp_path).read_bytes() != without_lossless
