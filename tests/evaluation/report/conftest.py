"""Two reports: of the committed results with pictures of a small model, and of that model alone."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("plotly")
pytest.importorskip("sklearn")

from vaecodec.codec.codec import load
from vaecodec.data import load_dataset
from vaecodec.evaluation.figures.registry import FIGURES
from vaecodec.evaluation.figures.subject import Sources, Subject, spread, truth_of
from vaecodec.evaluation.report.content import Section, Shown
from vaecodec.evaluation.report.model import model_report
from vaecodec.evaluation.report.page import render
from vaecodec.evaluation.report.paper import paper_report
from vaecodec.evaluation.results.stored import read_results

TESTS = Path(__file__).parents[2]
RESULTS = TESTS.parent / "benchmarks" / "results"


@pytest.fixture(scope="session")
def digits():
    return load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data")


@pytest.fixture(scope="session")
def tiny(digits):
    """The golden model on 80 digits."""
    rows = spread(len(digits), 80)
    truth = truth_of(digits.labels[rows], digits.label_names)
    return Subject("tiny", load(TESTS / "golden" / "v1" / "tiny.vaem"), digits.images[rows], truth=truth, data="mnist")


@pytest.fixture(scope="session")
def committed(tiny, tmp_path_factory):
    """The report of the committed results; every figure of a model is of the small one."""
    report = paper_report(read_results(RESULTS), data_dir=tmp_path_factory.mktemp("no data"))
    sources = Sources(None, (tiny,))
    figures = (Shown(f.name, f.paper, f.make(sources), f.name == "traversals") for f in FIGURES if not f.stored)
    pictures = Section("pictures", "Pictures of a small model", figures=tuple(figures))
    return replace(report, sections=(*report.sections, pictures))


@pytest.fixture(scope="session")
def committed_page(committed):
    return render(committed)


@pytest.fixture(scope="session")
def alone(tiny, digits):
    """The report of the small model on all digits, the images' factors unknown."""
    return model_report(Subject("tiny", tiny.codec, digits.images, data="mnist"))
