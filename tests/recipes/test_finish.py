"""From a trained model to a model file, with every rate and likelihood: small, real, end to end."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from vaecodec.bitstream.stream import unpack
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.families import training_config
from vaecodec.families.trainables import make_trainable
from vaecodec.modelfile.model import pack_model, read_model, unpack_model
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.recipes.finish import finish
from vaecodec.recipes.objective import distortion_nats
from vaecodec.recipes.objective_config import LIKELIHOODS, RATES, ObjectiveConfig
from vaecodec.recipes.onnx_export import export_analysis, halve_weights
from vaecodec.recipes.schedule import learning_rate
from vaecodec.training.run import export, run

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one

DATA = Path(__file__).parents[1] / "fixtures" / "data"
SETS = [load_dataset("mnist", split, data_dir=DATA) for split in ("train", "validation", "test")]


def config_of(rate: str, likelihood: str, **sizes: Any) -> TrainingConfig:
    model = {"height": 28, "width": 28, "latents": 5, "channels": [4, 8], "hidden": 16, **sizes}
    return training_config(
        {
            "name": f"{rate}-{likelihood}",
            "data": "mnist",
            "model": model,
            "objective": {"beta": 0.2, "rate": rate, "likelihood": likelihood},
            "optimiser": {"steps": 100, "batch_size": 32, "learning_rate": 5e-3, "warmup_steps": 5},
            "finish": {"step_multipliers": [2.5, 4.0], "synthesis_steps": 10},
        }
    )


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("rate", RATES)
def test_a_run_gives_a_model_whose_streams_round_trip(rate: str, likelihood: str, tmp_path: Path) -> None:
    config = config_of(rate, likelihood, patch=1 if rate == "gaussian-kl" else 2, channels=[6])
    path = run(config, tmp_path, SETS[0], SETS[1], hardware=Hardware(device="cpu"), show_progress=False)
    assert path == tmp_path / f"{config.name}.vaem"
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".jsonl", ".pt", ".vaem"]
    codec = Codec(read_model(path))
    images = SETS[2].images[:100]
    symbols, streams = codec.lossy.analyse(images), codec.compress_batch(images)
    for data, row in zip(streams, symbols, strict=True):
        np.testing.assert_array_equal(codec.lossy.parse(data)[1], row)
    np.testing.assert_array_equal(codec.decompress_batch(streams), codec.lossy.synthesise(symbols))
    bits = codec.lossy.information_bits(symbols)
    payload_bits = np.array([8 * len(unpack(data).payload) for data in streams])
    assert (payload_bits <= 1.01 * bits + 12).all()
    assert payload_bits.sum() <= 1.01 * bits.sum() + 32 * len(streams)
    record = codec.model.about
    assert record["config"]["objective"]["rate"] == rate
    assert record["data"]["sha256"] == SETS[0].sha256
    assert len(record["finish"]["step_trials"]) == (2 if rate == "gaussian-kl" else 0)
    assert record["finish"]["coded_latents"] == codec.model.latents > 0
    distortions = record["finish"]["exact_synthesis"]
    assert distortions["after_fine_tuning_nats"] < 1.05 * distortions["float_distortion_nats"]


def test_export_gives_the_runs_model_again(tmp_path: Path) -> None:
    config = config_of("gaussian-kl", "bernoulli")
    path = run(config, tmp_path, SETS[0], SETS[1], hardware=Hardware(device="cpu"), show_progress=False)
    first, again = read_model(path), export(tmp_path, SETS[0], SETS[1])
    assert again.fingerprint == first.fingerprint
    assert again.analysis == first.analysis


def test_a_model_without_a_latent_that_carries_anything_still_works() -> None:
    config = config_of("gaussian-kl", "bernoulli")
    trainable = make_trainable(config)
    with torch.no_grad():
        for parameter in trainable.model.analysis.mean.parameters():
            parameter.zero_()
    codec = Codec(unpack_model(pack_model(finish(trainable.eval(), config, SETS[0], SETS[1]))))
    streams = codec.compress_batch(SETS[2].images[:3])
    assert codec.model.latents == 1  # a model file has at least one
    assert [len(data) for data in streams] == [8, 8, 8]
    images = codec.decompress_batch(streams)
    np.testing.assert_array_equal(images[0], images[1])


def test_the_exported_graph_equals_torch() -> None:
    model = make_trainable(config_of("gaussian-kl", "bernoulli")).model.eval()
    halve_weights(model)
    active = torch.tensor([4, 0, 2])
    session = AnalysisSession(export_analysis(model, active))
    images = SETS[2].images[:70]
    with torch.no_grad():
        expected = model.analyse(torch.from_numpy(images.astype(np.float32) / 255)).mean[:, active].numpy()
    for batch in (1, 16, 70):
        np.testing.assert_allclose(session(images[:batch]), expected[:batch], atol=1e-5, rtol=1e-4)
    assert session(images[:0]).shape == (0, 3)


def test_the_graph_names_nothing_of_the_machine_that_made_it() -> None:
    model = make_trainable(config_of("gaussian-kl", "bernoulli")).model
    halve_weights(model)
    graph = export_analysis(model, torch.tensor([0])).whole()
    for text in (str(Path(__file__).parents[2]), str(Path.home()), "site-packages"):
        assert text.encode() not in graph


def test_distortions_are_the_likelihoods_negative_logarithms() -> None:
    rng = torch.Generator().manual_seed(0)
    logits, x = torch.randn(4, 3, 5, generator=rng), torch.rand(4, 3, 5, generator=rng)
    p = logits.sigmoid()
    bernoulli = distortion_nats(logits, x, ObjectiveConfig(likelihood="bernoulli"))
    torch.testing.assert_close(bernoulli, F.binary_cross_entropy(p, x, reduction="none").sum(dim=(1, 2)))
    gaussian = distortion_nats(logits, x, ObjectiveConfig(likelihood="gaussian", pixel_sigma=0.2))
    normal = torch.distributions.Normal(p, 0.2)
    expected = -(normal.log_prob(x) + math.log(0.2 * math.sqrt(2 * math.pi))).sum(dim=(1, 2))
    torch.testing.assert_close(gaussian, expected)


def test_the_learning_rate_warms_up_and_decays_to_nearly_nothing() -> None:
    config = config_of("gaussian-kl", "bernoulli").optimiser
    rates = [learning_rate(config, step) for step in range(config.steps)]
    assert rates[0] == pytest.approx(config.learning_rate / 5)
    assert max(rates) <= config.learning_rate
    assert rates[-1] < 0.01 * config.learning_rate


def test_the_seed_decides_the_weights_and_the_global_state_is_left_alone() -> None:
    config = config_of("gaussian-kl", "bernoulli")
    before = torch.random.get_rng_state()
    first, again = make_trainable(config).state_dict(), make_trainable(config).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
