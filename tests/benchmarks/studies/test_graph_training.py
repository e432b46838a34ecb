"""benchmarks.studies.graph_training: the steps of the training loop, and resume; recorded graphs alone need a GPU."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from benchmarks.measuring.float_model import bound, trained_model
from benchmarks.published import compare, main, reference_config
from benchmarks.studies.graph_training import GraphRun, train_side_by_side
from benchmarks.studies.published_points import PUBLISHED
from vaecodec.errors import CheckpointError
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.training.loop import Diverged, train

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 32, 32)).astype(np.uint8)
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def config(*, stretch: int, **changes: float) -> TrainingConfig:
    """Twelve steps; noise drawn anew and a point of the curve every `stretch` of them."""
    whole = reference_config("mnist", 4.0, 12)
    optimiser = dataclasses.replace(whole.optimiser, validate_every=stretch, checkpoint_every=stretch, **changes)
    return dataclasses.replace(whole, optimiser=optimiser)


def graph_run(chosen, folder, images=IMAGES):
    return GraphRun(chosen, images, images[:50], folder, DEVICE)


def weights(folder):
    return trained_model(folder).state_dict()


@pytest.fixture
def one_thread():
    """Sums in one order: Adam makes a whole step of the last bit of a gradient near zero."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_the_steps_are_those_of_the_training_loop(tmp_path):
    chosen = config(stretch=1)
    train_side_by_side([graph_run(chosen, tmp_path / "side")])
    train(chosen, IMAGES, IMAGES[:50], tmp_path / "loop", hardware=Hardware(device=DEVICE.type), show_progress=False)
    expected = weights(tmp_path / "loop")
    for name, value in weights(tmp_path / "side").items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-5)


def test_runs_side_by_side_are_as_alone(tmp_path):
    first, second = config(stretch=4), dataclasses.replace(config(stretch=4), seed=1)
    train_side_by_side([graph_run(first, tmp_path / "first"), graph_run(second, tmp_path / "second")])
    train_side_by_side([graph_run(second, tmp_path / "alone")])
    for name, value in weights(tmp_path / "second").items():
        torch.testing.assert_close(value, weights(tmp_path / "alone")[name])
    steps = [json.loads(line)["step"] for line in (tmp_path / "first" / "metrics.jsonl").read_text().splitlines()]
    assert steps == [4, 8, 12]


def test_a_resumed_run_ends_where_it_would_have(tmp_path):
    chosen = config(stretch=4)
    broken_off = graph_run(chosen, tmp_path / "resumed")
    for _ in range(6):  # two steps past the checkpoint
        broken_off.advance()
    again = graph_run(chosen, tmp_path / "resumed")
    assert again.step == 4
    train_side_by_side([again])
    train_side_by_side([graph_run(chosen, tmp_path / "straight")])
    for name, value in weights(tmp_path / "resumed").items():
        torch.testing.assert_close(value, weights(tmp_path / "straight")[name])


def test_a_run_that_is_done_takes_no_step(tmp_path):
    chosen = config(stretch=4)
    train_side_by_side([graph_run(chosen, tmp_path)])
    before = (tmp_path / "checkpoint.pt").read_bytes()
    train_side_by_side([graph_run(chosen, tmp_path)])
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_other_images_are_refused(tmp_path):
    train_side_by_side([graph_run(config(stretch=4), tmp_path)])
    with pytest.raises(CheckpointError, match="training_sha256"):
        graph_run(config(stretch=4), tmp_path, IMAGES[::-1].copy())


def test_a_learning_rate_that_destroys_the_weights_is_said(tmp_path):
    with pytest.raises(Diverged, match="not finite"):
        train_side_by_side([graph_run(config(stretch=4, learning_rate=1e30), tmp_path)])


def test_the_comparison_is_with_the_published_point(tmp_path, monkeypatch):
    chosen = config(stretch=4)
    train_side_by_side([graph_run(chosen, tmp_path)])
    monkeypatch.setattr("benchmarks.published.measured_images", lambda data: IMAGES)
    monkeypatch.setattr("benchmarks.published.other_images", lambda data: IMAGES[:20])
    result = compare(("mnist", 4.0), chosen, tmp_path)
    reconstruction, kl = bound(trained_model(tmp_path), IMAGES)
    assert result["reached"] == {"reconstruction_nats": reconstruction, "kl_nats": kl}
    assert result["off"]["kl_nats"] == pytest.approx(kl / PUBLISHED["mnist", 4.0].kl_nats - 1)
    assert result["within_10_per_cent"] is False
    assert result["trained_on"]["torch"] == torch.__version__
    assert (result["steps"], result["test_set"]["images"]) == (12, 20)


def test_a_run_that_is_not_there_is_missing(tmp_path, capsys):
    assert main(["--no-train", "--data", "mnist", "--beta", "1", "--runs", str(tmp_path)]) == 1
    assert "published-mnist-beta-1: missing" in capsys.readouterr().err
