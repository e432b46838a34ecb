"""The pages of results come from what is stored, and are up to date."""

import json

import pytest

from benchmarks.measuring.machine import RESULTS
from benchmarks.pages import page, readme_tables, results_page

BEGIN, END = results_page.MARKERS
POINT = {
    "codec": "x",
    "setting": "q0",
    "images": 100,
    "file_bytes": 21.26,
    "file_bpp": 0.217,
    "payload_bytes": 14.3,
    "information_bytes": 13.9,
    "mse": 200.0,
    "psnr_db": 25.12,
    "mean_image_psnr_db": 26.0,
    "ms_ssim": 0.98765,
    "ms_ssim_scales": 2,
}


def result():
    model = {"name": "mnist-beta-vae-9", "point": POINT, "model_bytes": 2_000_000}
    run = {"beta": 0.5, "point": POINT, "coded_latents": 30, "validation_rate_nats_in_training": 69.31471805599453}
    return {
        "data": {"images": 10000, "split": "test"},
        "every_pair_holds": True,
        "zoo": [{**model, "bytes_with_model_over": {"1000": 2021.26}}],
        "sweep": [run],
        "pca": [{"point": {**POINT, "file_bytes": 20.0, "setting": "64 components, step 90"}}],
    }


def test_the_pages_are_what_the_results_give():
    assert page.out_of_date(results_page.pages(RESULTS)) == [], "run python -m benchmarks.table"


def test_only_the_block_is_replaced_and_doing_it_again_changes_nothing():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    fresh = page.replace_block(text, "new\n", results_page.MARKERS)
    assert fresh == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert page.replace_block(fresh, "new", results_page.MARKERS) == fresh


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_text_without_the_block_is_refused(text):
    with pytest.raises(page.NoBlock):
        page.replace_block(text, "new", results_page.MARKERS)


def test_a_result_that_is_not_there_is_said_to_be_missing(tmp_path):
    assert results_page.render(tmp_path).count(page.NOT_YET) == 5
    assert readme_tables.summary(tmp_path).count(page.NOT_YET) == 2


def test_numbers_of_a_result_stand_in_the_tables(tmp_path):
    (tmp_path / "rate-distortion-mnist.json").write_text(json.dumps(result()), encoding="utf-8")
    lossless = {**POINT, "file_bytes": 204.2, "psnr_db": None, "information_bytes": None}
    curves = [{"codec": "WebP", "points": [{**POINT, "file_bytes": 96.6, "information_bytes": None}, lossless]}]
    (tmp_path / "classical-mnist.json").write_text(json.dumps({"curves": curves}), encoding="utf-8")
    text = results_page.render(tmp_path)
    for made in (text, readme_tables.summary(tmp_path)):
        assert "| **mnist-beta-vae-9** | 21.3 | 0.217 | 14.3 | 13.9 | 25.12 | 0.9877 (2 scales) |" in made
        assert "| PCA, 64 components, step 90 | 20.0 |" in made
        assert "| WebP at its smallest (q0) | 96.6 |" in made
        assert "| WebP, lossless | 204.2 | 0.217 | 14.3 |  | exact |" in made
    assert "| 0.5 | 21.3 | 14.3 | 13.9 | 25.12 | 26.00 | 0.9877 | 30 | 100.0 |" in text
    assert "2,000,000 bytes" in text


def test_a_sweep_that_breaks_the_order_is_not_hidden():
    assert "NOT every neighbouring pair" in results_page.set_tables(
        "mnist", {**result(), "every_pair_holds": False}, {"curves": []}
    )
