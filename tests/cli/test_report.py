"""vaecodec report, figure, pairs: a page with its JSON, pictures, and what pairs of one factor tell."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")
pytest.importorskip("plotly")
pytest.importorskip("sklearn")

from vaecodec.evaluation.figures.registry import FIGURES

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "fixtures" / "data"


@pytest.fixture
def results(tmp_path):
    """A few committed rows, and the metrics."""
    stored, folder = ROOT / "benchmarks" / "results", tmp_path / "results"
    (folder / "families").mkdir(parents=True)
    for path in (*stored.glob("disentanglement-*.json"), *stored.glob("families/*vae-mnist*.json")):
        shutil.copy(path, folder / path.relative_to(stored))
    return "results"


@pytest.mark.timeout(240)
def test_a_report_of_results_is_a_page_and_its_numbers(run, results, tmp_path):
    made = run("report", results, "-o", "r.html", "--data-dir", "nowhere")
    assert made.exit_code == 0, made.stderr
    assert made.stdout == ""
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert told["title"] in page
    assert all(line.split(":")[0] in page for line in told["missing"])
    assert [section["key"] for section in told["sections"]][:2] == ["claims", "figures"]
    again = run("report", results, "-o", "r.html")
    assert (again.exit_code, "exists" in again.stderr) == (1, True)


@pytest.mark.timeout(240)
def test_a_report_of_a_model_needs_no_factors(run, tiny, tmp_path):
    made = run("report", "--model", tiny, "--data", "mnist", "--data-dir", DATA, "--images", 60, "-o", "m.html")
    assert made.exit_code == 0, made.stderr
    told = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    assert [section["key"] for section in told["sections"]] == ["rates", "latents", "pictures", "provenance"]


def test_reports_of_nothing_are_refused(run, fails, tiny):
    assert "no results" in fails("report", ".")
    assert run("report", ".", "--model", tiny).exit_code == 2
    assert "50 images or more" in fails("report", "--model", tiny, "--data-dir", DATA, "--images", 9)


def test_the_figures_are_listed(run):
    lines = run("figure").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [figure.name for figure in FIGURES]


def test_a_figure_of_a_model_is_drawn(run, tiny, tmp_path):
    options = ("--model", tiny, "--data-dir", DATA, "--images", 60)
    for name, out in (("traversals", "t.apng"), ("system", "s.png"), ("worst", None)):
        made = run("figure", name, *options, *(() if out is None else ("-o", out)))
        assert made.exit_code == 0, made.stderr
    with Image.open(tmp_path / "t.apng") as moving:
        assert moving.n_frames > 2
    assert (tmp_path / "worst.svg").read_bytes().lstrip().startswith(b"<?xml")
    assert run("figure", "system", *options, "-o", "s.apng").exit_code == 2  # does not move
    assert run("figure", "system", *options, "-o", "s.gif").exit_code == 2


def test_a_figure_of_results_is_drawn(run, fails, results, tmp_path):
    assert run("figure", "losses", "--results", results, "-o", "l.png").exit_code == 0
    assert Image.open(tmp_path / "l.png").width > 500
    assert "no figure 'nope'" in fails("figure", "nope")
    assert "no results" in fails("figure", "losses", "--results", ".")


def test_pairs_print_both_differences_and_what_they_tell(run, tmp_path):
    options = ("--model", "dsprites", "--level", 21, "--data-dir", DATA, "--images", 300, "--pairs", 8)
    found = json.loads(run("pairs", *options, "--json").stdout)
    assert [one["factor"] for one in found["factors"]] == ["shape", "scale", "orientation", "x", "y"]
    for one in found["factors"]:
        assert len(one["paper"]) == len(found["latents"])
        assert np.allclose(np.array(one["paper"]), np.array(one["higgins"]) * found["pairs"] / 2)
    values = found["accuracy"]["values"]
    assert all(one["interval"]["low"] <= one["value"] <= one["interval"]["high"] for one in values)
    assert min(one["value"] for one in values) > 1 / 5  # of five factors
    shown = run("pairs", *options, "-o", "p.png")
    assert shown.exit_code == 0, shown.stderr
    assert f"{values[0]['value']:.3f}" in shown.stdout
    assert Image.open(tmp_path / "p.png").width > 500


def test_one_factor_leaves_nothing_to_tell_apart(run, tiny):
    shown = run("pairs", "--data", "mnist", "--model", tiny, "--data-dir", DATA, "--images", 100)
    assert "one factor alone" in shown.stdout
