"""Stored nats are measured again: by the model where it is at hand, else by the MSE of a Gaussian likelihood."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import nats
from benchmarks.measuring.images import evenly_spaced
from benchmarks.measuring.machine import RESULTS
from benchmarks.measuring.measure import measure_model
from vaecodec.codec.codec import load
from vaecodec.data import load_dataset
from vaecodec.errors import ModelMismatch, ModelNotFound
from vaecodec.modelfile.installed import zoo_folder

FIVE_BETAS = json.loads((RESULTS / "five-betas-mnist.json").read_text(encoding="utf-8"))
RECORDS = sorted(zoo_folder().glob("*-*.json"))


def from_mse(sigma, point, pixels):
    """Nats of pixels that are rounded to 8 bits."""
    return pixels * point["mse"] / 255**2 / (2 * sigma**2)


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_stored_nats_of_a_gaussian_likelihood_are_those_of_the_stored_mse(record):
    values = json.loads(record.read_text(encoding="utf-8"))
    test = values["test"]
    if test.get("likelihood") != "gaussian" or not load(record.with_suffix(".vaem")).model.analysis.graph:
        pytest.skip("Bernoulli, or it only decodes")
    for stored, point in [(test, test["point"]), *((one, one["test"]) for one in values.get("levels", []))]:
        expected = from_mse(test["pixel_sigma"], point, test["height"] * test["width"])
        assert stored["distortion_nats"] == pytest.approx(expected, rel=0.01)


def test_the_softly_clamped_model_has_the_nats_of_its_pixels(mnist_images):
    codec = load("mnist")
    for level in (0, 27, len(codec.model.levels) - 1):
        point = measure_model(codec, nats.zoo_folder() / "aliases.json", mnist_images, None, level=level)
        expected = from_mse(point.objective.pixel_sigma, {"mse": point.point.mse}, 28 * 28)
        assert point.distortion_nats == pytest.approx(expected, rel=0.01)


@pytest.fixture
def mnist_images(request):
    data_dir = request.path.parents[1] / "fixtures" / "data"
    return evenly_spaced(load_dataset("mnist", "test", data_dir=data_dir).images, 60)


def test_five_betas_takes_its_nats_from_the_stored_mse_and_its_costs_from_them(tmp_path):
    path = tmp_path / "five-betas-mnist.json"
    wrong = json.loads(json.dumps(FIVE_BETAS))
    wrong["sweep"][0]["distortion_nats"] *= 2
    path.write_text(json.dumps(wrong), encoding="utf-8")
    assert nats.measure_again(path)
    mended = json.loads(path.read_text(encoding="utf-8"))
    assert mended["sweep"] == FIVE_BETAS["sweep"]
    assert mended["pairs"] == FIVE_BETAS["pairs"]
    assert "benchmarks" not in mended["nats_from"]["what"]
    assert not nats.measure_again(path)


def test_stored_costs_are_distortion_and_weighted_rate():
    for pair, row in zip(FIVE_BETAS["pairs"], FIVE_BETAS["sweep"], strict=True):
        rate = 8 * np.log(2) * row["point"]["information_bytes"]
        expected = from_mse(0.1, row["point"], 784) + pair["beta"] * rate
        assert pair["separate"]["cost_nats"] == pytest.approx(expected, rel=1e-3)


def test_a_record_without_its_model_or_of_another_one_is_refused(tmp_path):
    name = RECORDS[0].name
    shutil.copy(RECORDS[0], tmp_path / name)
    with pytest.raises(ModelNotFound):
        nats.measure_again(tmp_path / name)
    shutil.copy(RECORDS[0].with_suffix(".vaem"), (tmp_path / name).with_suffix(".vaem"))
    values = json.loads(RECORDS[0].read_text(encoding="utf-8"))
    (tmp_path / name).write_text(json.dumps(values | {"fingerprint": "00" * 32}), encoding="utf-8")
    with pytest.raises(ModelMismatch):
        nats.measure_again(tmp_path / name)
