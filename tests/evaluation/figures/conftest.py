"""A small model on a few digits: what every figure can be drawn from."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from tests.evaluation.results.rows import model, run, write
from vaecodec.codec.codec import load
from vaecodec.data import load_dataset
from vaecodec.evaluation.figures.subject import Sources, Subject, spread, truth_of
from vaecodec.evaluation.results.stored import read_results

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def digits():
    return load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data")


@pytest.fixture(scope="session")
def subject(digits):
    """The golden model's, on 60 digits."""
    rows = spread(len(digits), 60)
    truth = truth_of(digits.labels[rows], digits.label_names)
    return Subject("tiny", load(TESTS / "golden" / "v1" / "tiny.vaem"), digits.images[rows], truth=truth, data="mnist")


@pytest.fixture(scope="session")
def grouped():
    """A model whose symbols are coded in groups, on pixels of noise."""
    codec = load(TESTS / "golden" / "v1" / "groups.vaem")
    images = np.random.default_rng(0).integers(0, 256, (60, *codec.model.shape), np.uint8)
    return Subject("grouped", codec, images)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    rows = [run(family, beta, seed=k) for family, beta in (("vae", 1.0), ("modified-beta-vae", 0.3)) for k in range(2)]
    rows += [run("beta-vae", 4.0, data=data, file_bytes=9.0, loss=90.0) for data in ("mnist", "dsprites")]
    models = [model("vae", 0.3), model("modified-beta-vae", 0.4), model("beta-vae", 0.5, name=rows[-1]["name"])]
    return read_results(write(tmp_path_factory.mktemp("results"), rows, models))


@pytest.fixture(scope="session")
def sources(subject, results):
    return Sources(results, (subject,))
