"""A conditioned-vae from its config to files at every level: small, real, end to end."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.families.conditioned.small import SETS, small_config
from tests.families.small import CONDITIONED_SIZES as SIZES
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.codec import Codec
from vaecodec.errors import ConfigError
from vaecodec.families import training_config
from vaecodec.families.conditioned.config import ConditionedConfig
from vaecodec.families.conditioned.exact import ExactConditionedSynthesis
from vaecodec.families.conditioned.export import export_conditioned_analysis
from vaecodec.families.conditioned.levels import LevelPrior, LevelTable, beta_grid, open_latents
from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.families.conditioned.prune import prune_hidden
from vaecodec.layers.exact.pixel_scales import SOFT_CLAMP
from vaecodec.modelfile.model import read_model
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.training.run import run

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one


def config_of(**objective: object) -> TrainingConfig:
    return small_config("conditioned-vae", {"prune_share": 0.01}, **objective)


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    folder = tmp_path_factory.mktemp("run")
    path = run(config_of(), folder, SETS[0], SETS[1], hardware=Hardware(device="cpu"), show_progress=False)
    return Codec(read_model(path))


def test_every_level_round_trips_and_finer_levels_take_more_bytes(codec: Codec) -> None:
    images = SETS[2].images[:64]
    sizes, errors = [], []
    for level in range(6):
        symbols, streams = codec.lossy.analyse(images, level), codec.compress_batch(images, level=level)
        for data, row in zip(streams, symbols, strict=True):
            np.testing.assert_array_equal(codec.lossy.parse(data)[1], row)
        decoded = np.stack(codec.decompress_batch(streams))
        np.testing.assert_array_equal(decoded, codec.lossy.synthesise(symbols, level))
        sizes.append(sum(map(len, streams)))
        errors.append(np.square(decoded.astype(float) - images).mean())
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 2
    assert errors[-1] < errors[0]


def test_streams_of_different_levels_decode_in_one_batch(codec: Codec) -> None:
    images = SETS[2].images[:6]
    streams = [codec.compress(image, level=level) for level, image in enumerate(images)]
    for image, data in zip(codec.decompress_batch(streams), streams, strict=True):
        np.testing.assert_array_equal(image, codec.decompress(data))


def test_the_record_says_what_each_level_takes(codec: Codec) -> None:
    finish = codec.model.about["finish"]
    assert len(finish["validation_bits"]) == len(finish["coded_latents"]) == len(codec.model.levels) == 6
    assert [level.beta for level in codec.model.levels] == pytest.approx(beta_grid(24.0, 0.018, 6).tolist())


def test_a_model_of_one_beta_is_the_same_network_with_one_level(tmp_path: Path) -> None:
    sizes = {**SIZES, "levels": 1, "knots": 1, "beta_high": 0.5, "beta_low": 0.5}
    values = config_of().to_dict()
    config = training_config({**values, "model": sizes, "optimiser": {**values["optimiser"], "steps": 40}})
    path = run(config, tmp_path, SETS[0], SETS[1], hardware=Hardware(device="cpu"), show_progress=False)
    codec = Codec(read_model(path))
    assert [level.beta for level in codec.model.levels] == [0.5]
    assert codec.model.level_is_input
    images = SETS[2].images[:70]
    streams = codec.compress_batch(images)
    decoded = np.stack(codec.decompress_batch(streams))
    np.testing.assert_array_equal(decoded, codec.lossy.synthesise(codec.lossy.analyse(images)))
    assert np.square(decoded.astype(float) - images).mean() < 2000
    wide, narrow = (ConditionedVAE(ConditionedConfig(**{**SIZES, **more})) for more in ({}, sizes))
    assert all(
        "knots" in name or wide.state_dict()[name].shape == part.shape for name, part in narrow.named_parameters()
    )


def test_the_exact_synthesis_is_the_exported_one_and_near_the_float_one() -> None:
    rng = torch.Generator().manual_seed(3)
    model = ConditionedVAE(ConditionedConfig(**SIZES, levels=8, knots=3))
    with torch.no_grad():
        for block in model.synthesis.blocks:
            block.outer.weight.normal_(std=0.05, generator=rng)
            block.gain.knots.add_(torch.randn(block.gain.knots.shape, generator=rng) * 0.3)
    level = torch.randint(8, (256,), generator=rng)
    symbols = (torch.randn(256, 24, generator=rng) * (1 + level[:, None])).round()
    exact = ExactConditionedSynthesis(model.synthesis, symbols.abs().amax(dim=0), symbols, level)
    with torch.no_grad():
        index, real = exact(symbols, level).numpy(), model.synthesise(symbols, level)
    inputs = np.column_stack([symbols.numpy(), level.numpy()]).astype(np.int32)
    pixels = exact.to_network()(inputs)[..., 0]
    np.testing.assert_array_equal(pixels, SOFT_CLAMP.table().ravel()[index.astype(int) + SOFT_CLAMP.top])
    assert np.abs(pixels - 255 * real.sigmoid().numpy()).mean() < 3


def test_a_level_table_is_linear_between_its_knots() -> None:
    table = LevelTable(9, 3, 2, first=0.0, last=4.0)
    torch.testing.assert_close(table.table()[:, 0], torch.linspace(0, 4, 9))
    torch.testing.assert_close(table(torch.tensor([8, 0])), torch.tensor([[4.0, 4.0], [0.0, 0.0]]))


def test_the_prior_of_a_level_sums_to_one() -> None:
    prior = LevelPrior(ConditionedConfig(**SIZES, levels=4, knots=2))
    grid = torch.arange(-400, 401).float()[:, None].expand(-1, 24)
    mass = (-prior.rate_nats(grid, torch.full((801,), 2))).exp().sum(dim=0)
    torch.testing.assert_close(mass, torch.ones(24), atol=1e-3, rtol=0)


@pytest.mark.parametrize("objective", [{"rate": "gaussian-kl"}, {"beta": 2.0}])
def test_an_objective_that_the_family_cannot_take_is_refused(objective: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="conditioned-vae"):
        config_of(**objective)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"latents": 0}, "positive"),
        ({"height": 300}, "256"),
        ({"levels": 1}, "levels"),
        ({"knots": 1}, "knots"),
        ({"levels": 0, "knots": 0}, "levels"),
        ({"levels": 1, "knots": 1}, "one β"),
        ({"levels": 2, "knots": 1}, "knots"),
        ({"beta_low": 24.0}, "one β"),
        ({"beta_low": 64.0}, "beta"),
        ({"beta_high": math.inf}, "beta"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(changes: dict[str, float], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        ConditionedConfig(**{**SIZES, **changes})


def test_latents_open_from_a_beta_on_until_at_the_last_level_there_are_all() -> None:
    betas = beta_grid(8.0, 0.5, 9)
    assert open_latents(betas, 10, 160, 2.0).tolist() == [10, 10, 10, 10, 10, 20, 40, 80, 160]
    assert open_latents(betas, 160, 160, 2.0).tolist() == [160] * 9
    assert open_latents(betas, 10, 160, 0.25).tolist() == [10] * 9  # they would open beyond the curve


def test_latents_that_are_not_open_are_0_and_free_and_are_not_coded(codec: Codec) -> None:
    torch.manual_seed(8)
    model = ConditionedVAE(ConditionedConfig(**SIZES, levels=6, knots=3, coarse_latents=10, opens_at=2.0))
    x, level = torch.rand(6, 28, 28), torch.arange(6)
    latents = model.analyse(x, level)
    counts = model.opened.tolist()
    assert counts[0] == 10
    assert counts[-1] == 24
    assert [int(row.ne(0).sum()) for row in latents] == counts
    rate = model.rate_nats(latents + 0.3, level)
    assert [int(row.ne(0).sum()) for row in rate] == counts
    assert all(entry.tables.coded.sum() <= count for entry, count in zip(codec.model.levels, counts, strict=True))


def test_more_coarse_latents_than_there_are_is_refused() -> None:
    with pytest.raises(ConfigError, match="coarse_latents"):
        ConditionedConfig(**SIZES, coarse_latents=25)


def test_cutting_units_that_nothing_wakes_changes_nothing_and_cutting_more_changes_little() -> None:
    torch.manual_seed(10)
    model = ConditionedVAE(ConditionedConfig(**SIZES, levels=6, knots=3))
    symbols, level, even = torch.randn(300, 24).round(), torch.randint(6, (300,)), torch.ones(300)
    with torch.no_grad():
        for block in model.synthesis.blocks:
            block.outer.weight.normal_(std=0.1)
            block.inner.bias[:5] = -1e4
        before = model.synthesis(symbols, level)
        prune_hidden(model.synthesis, symbols, level, even, 1e-12)
        left = [block.inner.out_features for block in model.synthesis.blocks]
        assert max(left) <= 27
        torch.testing.assert_close(model.synthesis(symbols, level), before)
        prune_hidden(model.synthesis, symbols, level, even, 0.05)
        assert sum(block.inner.out_features for block in model.synthesis.blocks) < sum(left)
        change = model.synthesis(symbols, level) - before
        assert change.square().mean() < 0.1 * before.var()
        prune_hidden(model.synthesis, symbols, level, even, 0.999999)
        assert all(block.outer.in_features >= 1 for block in model.synthesis.blocks)


@pytest.mark.parametrize("levels", [[0, 1], [0, 5, 2], [3, 3, 3, 3]])
def test_the_exported_analysis_is_the_model_s_whatever_is_open_in_a_batch(levels: list[int]) -> None:
    torch.manual_seed(9)
    sizes = ConditionedConfig(**SIZES, levels=6, knots=3, coarse_latents=10, opens_at=2.0)
    model = ConditionedVAE(sizes)
    images = SETS[2].images[: len(levels)]
    found = AnalysisSession(export_conditioned_analysis(model))(images, np.array(levels, np.int64))
    with torch.no_grad():
        wanted = model.analyse(torch.from_numpy(images / np.float32(255)), torch.tensor(levels))
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


def test_configs_that_say_what_the_study_of_several_levels_left_at_its_default_are_read() -> None:
    values = config_of().to_dict()
    values["model"] |= {"shared_blocks": 0, "own_latents": 0, "own_until": 8.0}
    values["objective"] |= {"levels_an_image": 1, "stem_steps": 0}
    assert training_config(values) == config_of()
    values["model"]["own_latents"] = 5
    with pytest.raises(ConfigError, match="unknown key 'own_latents'"):
        training_config(values)
