"""A conditioned-vae that draws, from its config to files at every level: small, real, end to end."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.families.small import DRAWN
from vaecodec.codec.codec import Codec
from vaecodec.codec.effort import SymbolCosts, distortion_of
from vaecodec.data import load_dataset
from vaecodec.errors import ConfigError
from vaecodec.exact.gradient import ExactGradient
from vaecodec.families import training_config
from vaecodec.families.conditioned.begin_drawing import COARSE_STEPS, FINE_STEPS
from vaecodec.families.conditioned.config import ConditionedConfig, ConditionedObjective
from vaecodec.families.conditioned.drawn import DrawnSynthesis
from vaecodec.families.conditioned.exact_drawn import ExactDrawnSynthesis
from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.families.conditioned.objective import ConditionedTrainable
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.exact.pixel_scales import SIGMOID
from vaecodec.modelfile.model import pack_model, read_model, unpack_model
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.training.run import run

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one
DATA = Path(__file__).parents[2] / "fixtures" / "data"
SETS = [load_dataset("dsprites", split, data_dir=DATA) for split in ("train", "validation", "test")]
LEVELS = DRAWN["levels"]


def config_of(**model: object) -> TrainingConfig:
    return training_config(
        {
            "name": "drawn",
            "family": "conditioned-vae",
            "data": "dsprites",
            "model": {**DRAWN, **model},
            "objective": {"rate": "uniform-noise", "warmup_steps": 20, "anneal_from": 0.1, "anneal_steps": 20},
            "optimiser": {"steps": 150, "batch_size": 32, "learning_rate": 6e-3, "warmup_steps": 5},
            "finish": {"synthesis_steps": 6},
        }
    )


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    folder = tmp_path_factory.mktemp("run")
    path = run(config_of(), folder, SETS[0], SETS[1], hardware=Hardware(device="cpu"), show_progress=False)
    return Codec(read_model(path))


def test_every_level_round_trips(codec: Codec) -> None:
    images = SETS[2].images[:70]  # more than the known answer has: a plan decodes them
    for level in range(LEVELS):
        symbols, streams = codec.lossy.analyse(images, level), codec.compress_batch(images, level=level)
        decoded = np.stack(codec.decompress_batch(streams))
        np.testing.assert_array_equal(decoded, codec.lossy.synthesise(symbols, level))
        np.testing.assert_array_equal(decoded[:3], codec.lossy.synthesise(symbols[:3], level))
        np.testing.assert_array_equal(decoded[0], codec.decompress(streams[0]))


def test_the_shape_is_drawn_where_it_stands(codec: Codec) -> None:
    images = SETS[2].images[:40].astype(float)
    decoded = codec.lossy.synthesise(codec.lossy.analyse(SETS[2].images[:40], LEVELS - 1), LEVELS - 1).astype(float)
    assert np.square(decoded - images).mean() < 0.7 * np.square(images.mean(axis=0) - images).mean()


def test_a_model_file_holds_no_more_than_the_model(codec: Codec) -> None:
    assert unpack_model(pack_model(codec.model)).fingerprint == codec.fingerprint


@pytest.mark.parametrize("effort", [1, 2])
def test_effort_finds_symbols_that_cost_less(codec: Codec, effort: int) -> None:
    images, level = SETS[2].images[:8], 2

    def cost(used: int) -> float:
        streams = codec.compress_batch(images, level=level, effort=used)
        symbols = np.stack([codec.lossy.parse(data)[1] for data in streams])
        costs = SymbolCosts(codec.model.levels[level].tables)
        decoded = np.stack(codec.decompress_batch(streams)).astype(np.float32)
        inside = np.ones(images.shape, np.bool_)
        nats = distortion_of(codec.model).nats(decoded, images.astype(np.float32), inside)
        return float((costs.nats(*costs.columns(symbols)) + nats / codec.model.levels[level].beta).sum())

    assert cost(effort) < cost(0)


class Case:
    """A synthesis with weights that do something, and its twin."""

    def __init__(self) -> None:
        torch.manual_seed(5)
        self.model = ConditionedVAE(ConditionedConfig(**{**DRAWN, "height": 16, "width": 12}))
        with torch.no_grad():
            for name, parameter in self.model.synthesis.named_parameters():
                if name.endswith("outer.weight"):
                    parameter.normal_(std=0.2)
                if name.startswith("head"):
                    parameter.mul_(6)
                if name.endswith("knots"):
                    parameter.mul_(1 + 0.3 * torch.randn(parameter.shape))
        self.level = torch.randint(LEVELS, (200,))
        self.symbols = (torch.randn(200, 6) * (2 + 2 * self.level[:, None])).round()
        synthesis, limit = self.model.synthesis, self.symbols.abs().amax(dim=0)
        self.exact = ExactDrawnSynthesis(synthesis, limit, self.symbols, self.level)


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def test_the_exact_synthesis_is_the_exported_one_and_near_the_float_one(case: Case) -> None:
    symbols, level = torch.cat([case.symbols, 5 * case.symbols]), case.level.repeat(2)  # beyond the limit too
    with torch.no_grad():
        index = case.exact(symbols, level).numpy().astype(int)
        real = 255 * case.model.synthesise(case.symbols, case.level).sigmoid().numpy()
    inputs = np.column_stack([symbols.numpy(), level.numpy()]).astype(np.int32)
    pixels = case.exact.to_network()(inputs)[..., 0]
    np.testing.assert_array_equal(pixels, SIGMOID.table().ravel()[index + SIGMOID.top])
    assert real.std() > 20
    assert np.abs(pixels[:200] - real).mean() < 3


def test_every_input_but_the_level_has_a_gradient(case: Case) -> None:
    gradient = ExactGradient(case.exact.to_network(), 6)
    values = gradient.values(np.column_stack([case.symbols.numpy(), case.level.numpy()]).astype(np.int32))
    assert (np.abs(gradient(values, np.ones_like(values[-1]))).sum(axis=0) > 0).all()


def test_fine_tuning_reaches_every_parameter_of_the_twin(case: Case) -> None:
    case.exact.zero_grad()
    case.exact.logits(case.symbols, case.level).square().sum().backward()
    missing = [name for name, p in case.exact.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not missing


def test_drawing_begins_with_latents_of_some_steps_and_with_the_center_in_its_place() -> None:
    torch.manual_seed(6)
    model = ConditionedVAE(ConditionedConfig(**DRAWN))
    images = SETS[0].images
    ConditionedTrainable(model, ConditionedObjective()).begin(images)
    x = torch.from_numpy(images.astype(np.float32) / 255)
    synthesis = model.synthesis
    assert isinstance(synthesis, DrawnSynthesis)
    with torch.no_grad():
        for level, steps in ((0, COARSE_STEPS), (LEVELS - 1, FINE_STEPS)):
            numbers = torch.full((len(x),), level)
            y = model.analyse(x, numbers)
            torch.testing.assert_close(y.std(dim=0), torch.full((6,), steps), rtol=0.1, atol=0)
            assert model.prior.rate_nats(y, numbers).mean() < np.log(steps) + 2.5
        position = synthesis.map.position(synthesis.latents(y, numbers) / LATENT_SCALE)
        mass = x.sum(dim=(1, 2))
        places = (torch.arange(64) - 31.5) / 32
        center = torch.stack([(x.sum(dim=2) @ places) / mass, (x.sum(dim=1) @ places) / mass], dim=1)
    assert (position - center).abs().mean() < 0.1


def test_a_model_without_moments_begins_too() -> None:
    model = ConditionedVAE(ConditionedConfig(**{**DRAWN, "moments": 0, "levels": 1, "knots": 1, "beta_low": 8.0}))
    ConditionedTrainable(model, ConditionedObjective()).begin(SETS[0].images)
    x = torch.from_numpy(SETS[0].images[:100].astype(np.float32) / 255)
    with torch.no_grad():
        assert model.analyse(x, torch.zeros(100, dtype=torch.int64)).std(dim=0).min() > 0.5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"half_planes": -1}, "half_planes"),
        ({"map_channels": 0}, "map_channels"),
        ({"height": 63}, "even"),
        ({"deep_latents": 3}, "deep_latents"),
        ({"moments": 1}, "moments"),
        ({"moments": 13}, "moments"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(changes: dict[str, int], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        ConditionedConfig(**{**DRAWN, **changes})
