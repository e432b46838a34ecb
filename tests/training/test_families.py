"""Every family trains, is exported, and its files come back: small, real, end to end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vaecodec.bitstream.stream import unpack
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.exact.network import evaluate
from vaecodec.families import training_config
from vaecodec.families.hfvae.model import HFVAE
from vaecodec.families.trainables import make_trainable
from vaecodec.modelfile.analysis_weights import unpack_weights
from vaecodec.modelfile.model import read_model
from vaecodec.recipes.config import Hardware, TrainingConfig, read_config
from vaecodec.recipes.onnx_export import halve_weights
from vaecodec.training import loop
from vaecodec.training.checkpoint import Checkpoint, load_checkpoint
from vaecodec.training.loop import train
from vaecodec.training.run import run

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one

TESTS = Path(__file__).parents[1]
DATA = TESTS / "fixtures" / "data"
SETS = [load_dataset("mnist", split, data_dir=DATA) for split in ("train", "validation", "test")]
CONFIGS = sorted((TESTS.parent / "benchmarks" / "configs" / "families").glob("*.toml"))
CPU = Hardware(device="cpu")

# family → what its [model] and [objective] say besides.
SMALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vae": ({}, {}),
    "beta-vae": ({}, {"beta": 0.5}),
    "capacity": ({}, {"capacity_nats": 12.0, "gamma": 10.0, "warmup_steps": 50}),
    "hfvae": ({"categories": 3, "groups": [2, 4]}, {"within": 2.0, "between": 2.0}),
    "decomposition": ({}, {"beta": 0.5, "alpha": 5.0, "prior": "mixture"}),
    "modified-beta-vae": ({}, {"beta": 0.5}),
    "beta-vae-gan": ({}, {"adversarial_weight": 5.0}),
}
SHARP = {"likelihood": "gaussian", "pixel_sigma": 0.01}  # so that latents carry something within a hundred steps


def config_of(family: str, **sizes: Any) -> TrainingConfig:
    model, objective = SMALL[family]
    return training_config(
        {
            "name": f"small-{family}",
            "family": family,
            "data": "mnist",
            "model": {"height": 28, "width": 28, "latents": 6, "channels": [8], "hidden": 32, **model, **sizes},
            "objective": {**SHARP, **objective},
            "optimiser": {"steps": 120, "batch_size": 32, "learning_rate": 3e-3, "warmup_steps": 5},
            "finish": {"step_multipliers": [2.5, 3.46], "synthesis_steps": 10},
        }
    )


def trained(config: TrainingConfig, folder: Path) -> Codec:
    return Codec(read_model(run(config, folder, SETS[0], SETS[1], hardware=CPU, show_progress=False)))


def check_files(codec: Codec, images: np.ndarray) -> None:
    """Every file gives the model's own reconstruction, and they cost what their symbols carry."""
    symbols, streams = codec.lossy.analyse(images), codec.compress_batch(images)
    for data, row in zip(streams, symbols, strict=True):
        np.testing.assert_array_equal(codec.lossy.parse(data)[1], row)
    np.testing.assert_array_equal(codec.decompress_batch(streams), codec.lossy.synthesise(symbols))
    payload_bits = float(np.mean([8 * len(unpack(data).payload) for data in streams]))
    bound_bits = 1.02 * float(codec.lossy.information_bits(symbols).mean()) + 4
    assert payload_bits <= bound_bits


@pytest.fixture(scope="module")
def hfvae(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Codec]:
    """The run folder of a small hfvae, and its codec."""
    folder = tmp_path_factory.mktemp("hfvae")
    return folder, trained(config_of("hfvae"), folder)


@pytest.mark.parametrize("family", [family for family in SMALL if family != "hfvae"])
def test_a_family_trains_and_its_files_round_trip(family: str, tmp_path: Path) -> None:
    config = config_of(family)
    codec = trained(config, tmp_path)
    check_files(codec, SETS[2].images[:100])
    assert codec.model.family == family
    assert codec.model.about["config"]["objective"] == config.to_dict()["objective"]
    assert codec.model.about["finish"]["coded_latents"] > 0


def test_an_hfvae_trains_and_its_files_round_trip(hfvae: tuple[Path, Codec]) -> None:
    _, codec = hfvae
    check_files(codec, SETS[2].images[:100])
    assert codec.model.family == "hfvae"
    assert codec.model.synthesis.input_high[0] == 2  # the category's three names


def test_a_category_and_jointly_coded_groups_round_trip(tmp_path: Path) -> None:
    codec = trained(config_of("hfvae", groups=[2, 2, 2], joint=True), tmp_path)
    check_files(codec, SETS[2].images[:100])
    assert 1 <= codec.model.latents <= 4  # the category, and a cell for each group that carries anything
    assert codec.model.about["finish"]["tables"] == "smoothed joint counts"


def test_the_graph_of_an_hfvae_gives_the_category_and_the_means(hfvae: tuple[Path, Codec]) -> None:
    folder, codec = hfvae
    trainable = make_trainable(config_of("hfvae"))
    trainable.load_state_dict(load_checkpoint(folder).model)
    model = trainable.model
    assert isinstance(model, HFVAE)
    halve_weights(model)
    images = SETS[2].images[:20]
    with torch.no_grad():
        for tensor in unpack_weights(codec.model.analysis.weights):
            model.get_parameter(tensor.name.removeprefix("model.")).copy_(torch.from_numpy(tensor.floats))
        posterior = model.analyse(torch.from_numpy(images.astype(np.float32) / 255))
    given = AnalysisSession(codec.model.analysis)(images)
    np.testing.assert_array_equal(given[:, 0], posterior.category_logits.argmax(dim=1).numpy())
    distances = np.abs(given[:, 1:, None] - posterior.mean.numpy()[:, None]).max(axis=0)
    assert (distances.min(axis=1) < 1e-4).all()  # every coded latent is one of the means


def test_another_category_gives_other_logits(hfvae: tuple[Path, Codec]) -> None:
    _, codec = hfvae
    symbols = np.repeat(codec.lossy.analyse(SETS[2].images[:1]), 3, axis=0)
    symbols[:, 0] = range(3)
    logits = evaluate(codec.model.synthesis.ops[:-1], symbols.astype(np.float32))
    assert len({row.tobytes() for row in logits}) == 3


@pytest.mark.parametrize("prior", ["anisotropic", "student-t", "spike-and-slab"])
def test_every_prior_trains(prior: str, tmp_path: Path) -> None:
    config = config_of("decomposition")
    config = replace(config, objective=replace(config.objective, prior=prior, divergence="inclusive-kl"))
    config = replace(config, optimiser=replace(config.optimiser, steps=30, validate_every=10))
    trainable = train(config, SETS[0].images, SETS[1].images, tmp_path, hardware=CPU, show_progress=False)
    assert all(parameter.isfinite().all() for parameter in trainable.parameters())


class Stopped(Exception):
    """Where a power cut would be."""


def stop_after(config: TrainingConfig, step: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train until the checkpoint of `step` is written."""
    save = loop.save_checkpoint

    def save_and_stop(folder: Path, checkpoint: Checkpoint) -> None:
        save(folder, checkpoint)
        if checkpoint.step == step:
            raise Stopped

    monkeypatch.setattr(loop, "save_checkpoint", save_and_stop)
    with pytest.raises(Stopped):
        train(config, SETS[0].images, SETS[1].images, folder, hardware=CPU, show_progress=False)
    monkeypatch.undo()


def test_adversarial_training_resumes_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped at step 40 of 60 and taken up again, both networks and both optimisers end as if nothing had happened."""
    config = config_of("beta-vae-gan")
    config = replace(config, optimiser=replace(config.optimiser, steps=60, checkpoint_every=20, validate_every=20))
    options: dict[str, Any] = {"hardware": CPU, "show_progress": False}
    images, held_out = SETS[0].images, SETS[1].images
    torch.set_num_threads(1)
    train(config, images, held_out, tmp_path / "whole", **options)
    stopped = tmp_path / "stopped"
    stop_after(config, 40, stopped, monkeypatch)
    train(config, images, held_out, stopped, resume=True, **options)
    whole, again = load_checkpoint(tmp_path / "whole"), load_checkpoint(stopped)
    assert any(name.startswith("discriminator.") for name in whole.model)
    assert all(torch.equal(again.model[name], tensor) for name, tensor in whole.model.items())
    for expected, found in ((whole.optimiser, again.optimiser), (whole.second_turn, again.second_turn)):
        assert expected["state"]
        for key, state in expected["state"].items():
            assert all(torch.equal(found["state"][key][name], value) for name, value in state.items())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_committed_configs_are_valid(path: Path) -> None:
    config = training_config(read_config(path))
    assert config.name == path.stem == f"{config.family}-{config.data}"
    assert training_config(config.to_dict()) == config


def test_every_family_of_the_sweep_has_a_config_for_each_data_set() -> None:
    assert {path.stem for path in CONFIGS} >= {f"{family}-{data}" for family in SMALL for data in ("mnist", "dsprites")}
