"""The pages of results come from what is stored, and are up to date."""

import json

import pytest

from benchmarks.measuring.machine import RESULTS
from benchmarks.pages import page, readme_tables, results_page
from benchmarks.pages.anchors_table import anchors_table
from benchmarks.studies.anchors import anchors, with_exact_files
from vaecodec.evaluation.rd import RateCurve

BEGIN, END = results_page.MARKERS
POINT = {
    "codec": "x",
    "setting": "q0",
    "images": 10000,
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
    assert results_page.render(tmp_path).count(page.NOT_YET) == 4
    assert readme_tables.summary(tmp_path).count(page.NOT_YET) == 2


def test_numbers_of_a_result_stand_in_the_tables(tmp_path):
    (tmp_path / "rate-distortion-mnist.json").write_text(json.dumps(result()), encoding="utf-8")
    lossless = {**POINT, "file_bytes": 204.2, "psnr_db": None, "information_bytes": None}
    curves = [{"codec": "WebP", "points": [{**POINT, "file_bytes": 96.6, "information_bytes": None}, lossless]}]
    curves.append({"codec": "JPEG", "points": [{**curves[0]["points"][0], "images": 100}]})
    (tmp_path / "classical-mnist.json").write_text(json.dumps({"curves": curves}), encoding="utf-8")
    text = results_page.render(tmp_path)
    for made in (text, readme_tables.summary(tmp_path)):
        assert "| **mnist-beta-vae-9** | 21.3 | 0.217 | 14.3 | 13.9 | 25.12 | 0.9877 (2 scales) |" in made
        assert "| PCA, 64 components, step 90 | 20.0 |" in made
        assert "| WebP at its smallest (q0) | 96.6 |" in made
        assert "| JPEG at its smallest (q0), over 100 images | 96.6 |" in made
        assert "| WebP, lossless | 204.2 | 0.217 | 14.3 |  | exact |" in made
    assert "| 0.5 | 21.3 | 14.3 | 13.9 | 25.12 | 26.00 | 0.9877 | 30 | 100.0 |" in text
    assert "2,000,000 bytes" in text


def test_a_sweep_that_breaks_the_order_is_not_hidden():
    assert "NOT every neighbouring pair" in results_page.set_tables(
        "mnist", {**result(), "every_pair_holds": False}, {"curves": []}
    )


def test_a_flagship_stands_beside_anchors_in_three_ways():
    """A container of 50 bytes on one side, and an exact mode smaller than the finest lossy one; ours has 7 bytes."""

    def points(*sizes, header):
        at = zip(sizes, (20.0, 25.0, 30.0), strict=True)
        return [{**POINT, "file_bytes": size + header, "payload_bytes": size, "psnr_db": db} for size, db in at]

    exact = {**POINT, "file_bytes": 60.0, "payload_bytes": 10.0, "psnr_db": None, "mse": 0.0}
    lossy = [{**point, "images": 50} for point in points(10.0, 10.5, 11.0, header=50)]
    curve = {"codec": "WebP", "data": "mnist", "points": [*lossy, exact]}
    levels = [{"point": point} for point in points(10.0, 10.5, 11.0, header=7)]
    flagship = {"model": {"name": "m"}, "efforts": [{"effort": 0, "levels": levels}], "lossless": None}
    (found,) = anchors("mnist", {"curves": [curve]}, flagship)
    assert (found.images, round(found.payloads, 6)) == (50, 0)
    assert found.files == pytest.approx(100 * (17.5 / 60.5 - 1), abs=0.1)
    assert found.exact_too == pytest.approx(100 * (17.5 / 60 - 1), abs=0.1)
    capped = with_exact_files(RateCurve.from_dict(curve))
    assert [point.file_bytes for point in capped.points] == [60.0, 60.0, 60.0]
    assert "| WebP | 50 | -71.1 % | -0.0 % |" in anchors_table("mnist", {"curves": [curve]}, flagship).replace(
        "+0.0", "-0.0"
    )
