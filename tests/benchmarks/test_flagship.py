"""The flagship's curve: what is asked of it, what it stands beside, and the whole script on a small model."""

import json
import math
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("bjontegaard")

from benchmarks import flagship
from benchmarks.measuring.machine import RESULTS
from benchmarks.measuring.measure import LevelPoint
from benchmarks.studies.flagship_bars import (
    BARS,
    RateBar,
    SizeBar,
    cheapest_at,
    describe_rate,
    describe_size,
    judge_rate,
    judge_size,
)
from benchmarks.studies.flagship_gap import extra_bytes, read_recorded
from benchmarks.studies.flagship_rivals import PCA, SWEEP, Rival, compare, curve_of, read_rivals
from vaecodec.codec.codec import load
from vaecodec.evaluation.rd import RateCurve, RatePoint

TESTS = Path(__file__).parents[1]
MODEL = TESTS / "golden" / "v1" / "levels.vaem"


def rate_point(file_bytes, psnr_db, codec="x"):
    return RatePoint(
        codec=codec,
        setting=f"{file_bytes:g}",
        images=10,
        file_bytes=file_bytes,
        file_bpp=8 * file_bytes / 784,
        payload_bytes=file_bytes - 7,
        information_bytes=file_bytes - 7.3,
        mse=0.0 if psnr_db is None else 255**2 / 10 ** (psnr_db / 10),
        psnr_db=psnr_db,
        mean_image_psnr_db=psnr_db,
        ms_ssim=1.0 if psnr_db is None else 1 - 10 ** (-psnr_db / 10),
        ms_ssim_scales=2,
    )


def levels(*pairs, effort=0):
    return [LevelPoint(k, 2.0**-k, effort, 5, rate_point(*pair)) for k, pair in enumerate(pairs)]


OURS = levels((12.0, 18.0), (17.0, 20.5), (24.0, 24.0), (60.0, 30.0), (100.0, 36.0))


def test_the_bars_are_those_that_were_asked_for():
    assert [(bar.psnr_db, bar.most_bytes) for bar in BARS["mnist"].sizes] == [
        (20, 17.5),
        (22.8, 22),
        (26, 32),
        (31.3, 82),
    ]
    assert BARS["mnist"].rates == (RateBar("WebP", 22.8, 34.9, -50),)
    assert [(bar.psnr_db, bar.most_bytes) for bar in BARS["dsprites"].sizes] == [(30, 14), (36, 16)]


def test_a_size_is_judged_at_the_cheapest_level_that_is_good_enough():
    verdict = judge_size(SizeBar(20, 17.5), OURS)
    assert (verdict.level, verdict.file_bytes, verdict.holds, verdict.missed_by_bytes) == (1, 17.0, True, 0)
    assert describe_size(verdict).endswith("holds")
    missed = judge_size(SizeBar(22.8, 22), OURS)
    assert (missed.level, missed.holds, missed.missed_by_bytes) == (2, False, 2.0)
    assert "MISSED by 2.00 bytes" in describe_size(missed)
    absent = judge_size(SizeBar(40, 500), OURS)
    assert (absent.level, absent.holds, absent.missed_by_bytes) == (None, False, None)
    assert "no level" in describe_size(absent)


def test_lossless_files_keep_a_bar_that_no_level_reaches_or_reaches_in_more_bytes():
    for asked, most in ((40, 60), (30, 59.5)):
        verdict = judge_size(SizeBar(asked, most), OURS, 59.0)
        assert (verdict.level, verdict.psnr_db, verdict.file_bytes, verdict.holds) == (None, None, 59.0, True)
        assert "59.00 at exact (lossless): holds" in describe_size(verdict)
    assert judge_size(SizeBar(20, 17.5), OURS, 59.0).level == 1
    assert judge_size(SizeBar(40, 58), OURS, 59.0).missed_by_bytes == pytest.approx(1)


def test_a_finer_level_that_is_cheaper_is_the_one_that_counts():
    assert cheapest_at(20.0, levels((18.0, 20.1), (17.0, 20.4))).level == 1
    assert cheapest_at(99.0, levels((18.0, 20.1), (90.0, None))).level == 1


def test_a_rate_is_judged_over_its_range_and_only_where_the_curve_spans_it():
    bar = RateBar("WebP", 20, 30, -50)
    ours = curve_of("flagship", "mnist", OURS)
    for factor, holds in ((2.2, True), (1.8, False)):
        webp = RateCurve(
            "WebP", "mnist", tuple(rate_point(factor * one.point.file_bytes, one.point.psnr_db) for one in OURS)
        )
        verdict = judge_rate(bar, ours, webp)
        assert verdict.per_cent == pytest.approx(100 * (1 / factor - 1), abs=1e-6)
        assert verdict.holds is holds
        assert describe_rate(verdict).endswith("holds") is holds
    short = judge_rate(RateBar("WebP", 17, 30, -50), ours, webp)
    assert (short.spans, short.holds, short.per_cent) == (False, False, None)
    assert "the curve has 18.00 to 36.00 dB" in describe_rate(short)
    alone = judge_rate(bar, ours, None)
    assert (alone.spans, alone.holds) == (True, False)
    assert "no curve of WebP" in describe_rate(alone)


def test_a_rival_stands_beside_our_cheapest_level_of_its_psnr():
    rival = Rival(RateCurve("WebP", "mnist", (rate_point(96.0, 22.6), rate_point(200.0, None))), "classical-mnist")
    found = compare(rival, OURS)
    assert [(one.our_level, one.our_bytes) for one in found.points] == [(2, 24.0), (None, None)]
    assert (found.psnr_per_cent, found.ms_ssim_per_cent) == (None, None)  # one lossy point has no slope


@pytest.mark.parametrize("data", ["mnist", "dsprites"])
def test_every_stored_codec_of_the_same_images_is_a_rival(data):
    stored = json.loads((RESULTS / f"classical-{data}.json").read_text(encoding="utf-8"))
    found = read_rivals(data, RESULTS, stored["data"]["pixels_sha256"])
    names = [rival.curve.codec for rival in found]
    assert {"WebP", "JPEG XL", "JPEG", "JPEG 2000", "AVIF", "PNG", SWEEP, PCA, f"{data}-beta-vae-1"} <= set(names)
    assert read_rivals(data, RESULTS, "other pixels") == []
    ours = f"{data}-beta-vae-1"
    assert [r for r in found if r.curve.codec != ours] == read_rivals(
        data, RESULTS, stored["data"]["pixels_sha256"], ours
    )


def test_the_gap_is_counted_at_the_test_images_psnr():
    test = levels((22.0, 25.0))[0]
    assert extra_bytes(test, [(20.0, 10.0), (30.0, 30.0)]) == pytest.approx(2.0)
    assert extra_bytes(test, [(10.0, 10.0), (20.0, 30.0)]) is None
    assert extra_bytes(test, [(26.0, 10.0), (30.0, 30.0)]) is None


def test_a_record_counts_for_its_own_model_and_as_many_images(tmp_path):
    codec = load(MODEL)
    path = tmp_path / "x.vaem"
    assert read_recorded(path, codec, 30) == {}
    some = {"images": 30, "file_bytes": 20.0, "information_bytes": 13.0, "psnr_db": 25.0}
    rows = [{"level": 4, "train": some, "validation": some}, {"level": 5, "train": some | {"images": 9}}]
    for fingerprint, expected in ((codec.fingerprint.hex(), {4}), ("other", set())):
        record = {"fingerprint": fingerprint, "levels": rows}
        path.with_suffix(".json").write_text(json.dumps(record), encoding="utf-8")
        assert set(read_recorded(path, codec, 30)) == expected


def test_the_script_measures_every_effort_and_stores_what_misses(tmp_path, monkeypatch):
    monkeypatch.setenv("VAECODEC_DATA", str(TESTS / "fixtures" / "data"))
    options = ["--data", "mnist", "--images", "12", "--levels-every", "4", "--refined-every", "9", "--effort", "0", "1"]
    assert flagship.main([str(MODEL), *options, "--out", str(tmp_path)]) == 1
    result = json.loads((tmp_path / "flagship-mnist-quick.json").read_text(encoding="utf-8"))
    assert result["provenance"]["seed"] == 0
    plain, refined = result["efforts"]
    assert [one["level"] for one in plain["levels"]] == [0, 4, 7]
    assert [one["level"] for one in refined["levels"]] == [0, 7]
    assert plain["bd_rate_against_lowest_effort_per_cent"] is None
    assert refined["levels"][1]["point"]["file_bytes"] < 2 * plain["levels"][2]["point"]["file_bytes"]
    assert LevelPoint.from_dict(plain["levels"][0]).to_dict() == plain["levels"][0]
    assert [row["level"] for row in result["gap"]] == [0, 4, 7]
    assert result["gap"][0]["train"]["images"] == 12
    assert all(math.isfinite(effort["compress"]["core_ms"]) for effort in result["efforts"])


def test_a_model_of_other_data_is_refused():
    with pytest.raises(SystemExit):
        flagship.main([str(MODEL), "--data", "dsprites"])
