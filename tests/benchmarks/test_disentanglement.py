"""Codes of a kept model, and the shape of what the study of disentanglement stores."""

import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

import vaecodec
from benchmarks import disentanglement
from benchmarks.measuring.machine import RESULTS
from vaecodec.evaluation.codes import codes_of
from vaecodec.evaluation.disentanglement import drawn_images
from vaecodec.evaluation.disentanglement.registry import METRICS


@pytest.fixture(scope="module")
def study():
    found = drawn_images(400, rng=np.random.default_rng(0))
    return disentanglement.Study("dsprites", found.images, found.truth, found.label, 19.443, 737_280)


def test_symbols_are_means_on_the_quantizers_grid(study):
    codec = vaecodec.load(RESULTS / "families" / "hfvae-dsprites-weight-3.vaem")
    codes = codes_of(codec, study.images[:9])
    center = codec.model.levels[0].quantizer.center[codec.model.levels[0].tables.coded]
    assert codes.means.shape == codes.symbols.shape == (9, 8)
    assert np.abs((codes.means - center) / codes.steps - codes.symbols).max() < 0.501
    assert codes.file_bits == pytest.approx(codec.lossy.information_bits(codec.lossy.analyse(study.images[:9])))


def test_one_image_has_the_code_it_has_among_others(study):
    codec = vaecodec.load("dsprites-flagship-2")
    alone, together = (codes_of(codec, study.images[:n], 21) for n in (1, 3))
    assert alone.means[0] == pytest.approx(together.means[0], abs=1e-4)
    assert len(alone.file_bits) == 1


@pytest.mark.slow
def test_a_study_says_every_metric_with_its_null_and_the_bounds(study, tmp_path, monkeypatch):
    monkeypatch.setattr(disentanglement, "load_study", lambda *_: study)
    path = tmp_path / "study.json"
    arguments = ["--only", "hfvae", "--out", str(path)]
    assert disentanglement.main(arguments) == 0
    stored = json.loads(path.read_text(encoding="utf-8"))
    (model,) = stored["models"]
    assert {row["metric"] for row in model["means"]} == {metric.name for metric in METRICS}
    for row in (*model["means"], *model["symbols"]):
        assert all(len(null["numbers"]) == 10 for null in row["null"])
        assert set(row["against_null"].values()) <= {"above", "below", "not decided"}
    assert model["entanglement"]["bounds"]["low"] <= model["entanglement"]["bounds"]["high"]
    before = path.read_bytes()
    assert disentanglement.main(arguments) == 0
    assert path.read_bytes() == before  # what is there is not measured again


def test_the_stored_result_holds_the_kept_models_of_dsprites():
    path = RESULTS / "disentanglement-dsprites.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    names = {model["name"] for model in stored["models"]}
    assert names <= {subject.name for subject in disentanglement.subjects("dsprites")}
    assert stored["ceilings"]["floats"]["mig"]["values"][0]["value"] >= 0.89
    assert len(stored["ceilings"]["rotated floats"]["mig"][0]["numbers"]) == 10
    for found in stored["ceilings"]["floats"]["dci-classifier"]["values"]:
        assert found["value"] == pytest.approx(1, abs=1e-3)
