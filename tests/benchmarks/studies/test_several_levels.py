"""The study of several levels an image: a family from outside the package, small, real, end to end."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.studies.several_levels import (
    FAMILY,
    SeveralLevelsConfig,
    SeveralLevelsObjective,
    SeveralLevelsTrainable,
    SeveralLevelsVAE,
    middle_level,
    widen,
)
from tests.families.conditioned.small import SETS, small_config
from tests.families.small import CONDITIONED_SIZES as SIZES
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.codec import Codec
from vaecodec.errors import ConfigError
from vaecodec.families import training_config
from vaecodec.families.conditioned.export import export_conditioned_analysis
from vaecodec.families.conditioned.levels import open_latents
from vaecodec.families.conditioned.objective import weight_of_level
from vaecodec.modelfile.model import read_model
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.recipes.objective import distortion_nats
from vaecodec.training.loop import _Run, train
from vaecodec.training.run import run

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one


def config_of(**objective: object) -> TrainingConfig:
    return small_config(FAMILY.name, {}, **objective)


def test_an_image_may_be_trained_at_a_level_of_each_part_of_the_grid() -> None:
    torch.manual_seed(11)
    sizes = SeveralLevelsConfig(**SIZES, levels=6, knots=3, coarse_latents=10, opens_at=2.0, shared_blocks=2)
    trainable = SeveralLevelsTrainable(SeveralLevelsVAE(sizes), SeveralLevelsObjective(levels_an_image=3))
    model, x, rng = trainable.model, torch.rand(5, 28, 28), torch.Generator()
    losses = trainable(x, 1.0, rng.manual_seed(4))
    rng.manual_seed(4)
    levels = [torch.randint(2 * k, 2 * k + 2, (1,), generator=rng) for k in range(3)]
    parts = []
    for level in levels:
        noise = torch.empty(5, 24).uniform_(-0.5, 0.5, generator=rng)
        of_each = level.expand(5)
        latents = model.analyse(x, of_each)
        rate = model.rate_nats(latents + noise, of_each).sum(dim=1)
        distortion = distortion_nats(model.synthesise(latents.round(), of_each), x, trainable.config)
        parts.append((distortion, rate, weight_of_level(model, of_each) * (rate + distortion / model.betas[level])))
    for found, wanted in zip(
        (losses.distortion_nats, losses.rate_nats, losses.objective_nats), zip(*parts, strict=True), strict=True
    ):
        torch.testing.assert_close(found, torch.stack(wanted).mean())
    trainable.eval()
    once, again = (trainable(x, 1.0, rng.manual_seed(5)).objective_nats for _ in range(2))
    assert once == again  # of one level an image, whatever training has: comparable between configs


def test_every_level_begins_as_the_middle_one_is() -> None:
    torch.manual_seed(12)
    sizes = SeveralLevelsConfig(**SIZES, levels=5, knots=5, coarse_latents=10, opens_at=0.2, shared_blocks=1)
    model = SeveralLevelsVAE(sizes)
    with torch.no_grad():
        for name, part in model.named_parameters():
            if name.endswith("knots"):
                part.add_(0.3 * torch.randn(part.shape))
    middle, others = middle_level(model), [0, 1, 3]
    x, level = torch.rand(7, 28, 28), torch.full((7,), middle)
    before = model.analyse(x, level), model.rate_nats(model.analyse(x, level), level)
    pixels = model.synthesise(before[0], level)
    widen(model)
    after = model.analyse(x, level), model.rate_nats(model.analyse(x, level), level)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.synthesise(after[0], level), pixels, rtol=1e-4, atol=1e-4)
    for other in others:
        of_other = torch.full((7,), other)
        latents = model.analyse(x, of_other)
        ratio = (model.betas[middle] / model.betas[other]).sqrt()
        torch.testing.assert_close(latents[:, :10], before[0][:, :10] * ratio, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(model.synthesise(latents[:, :10], of_other), pixels, rtol=1e-3, atol=1e-3)


def test_what_only_finer_levels_open_does_not_enter_a_widened_synthesis() -> None:
    model = SeveralLevelsVAE(SeveralLevelsConfig(**SIZES, levels=5, knots=3, coarse_latents=10, opens_at=0.2))
    widen(model)
    opened = int(model.opened[middle_level(model)])
    assert opened < 24
    assert not model.synthesis.enter.weight[:, opened:].any()
    assert model.synthesis.straight.weight[:, opened:].all()


@pytest.mark.parametrize("cut_at", [20, 30])
def test_a_run_that_is_cut_off_where_it_widens_goes_on_exactly(cut_at: int, tmp_path: Path) -> None:
    values = config_of(levels_an_image=3, stem_steps=30).to_dict()
    values["optimiser"] |= {"steps": 40, "checkpoint_every": 10, "validate_every": 10}
    config, images = training_config(values), SETS[0].images
    here = Hardware(device="cpu")
    whole = train(config, images, images, tmp_path / "whole", hardware=here, show_progress=False)
    begun = _Run(config, images, images, tmp_path / "cut", here)
    begun.start(resume=False)
    for _ in range(cut_at):
        begun.one_step()
        begun.step += 1
    begun._save()
    cut = train(config, images, images, tmp_path / "cut", resume=True, hardware=here, show_progress=False)
    for name, part in whole.state_dict().items():
        assert torch.equal(part, cut.state_dict()[name]), name


def test_a_model_that_was_trained_so_becomes_files(tmp_path: Path) -> None:
    values = config_of(levels_an_image=3, stem_steps=20).to_dict()
    values["model"] |= {"shared_blocks": 3}
    values["optimiser"] |= {"steps": 60}
    config = training_config(values)
    path = run(config, tmp_path, SETS[0], SETS[1], hardware=Hardware(device="cpu"), show_progress=False)
    codec, images = Codec(read_model(path)), SETS[2].images[:20]
    for level in range(6):
        streams = codec.compress_batch(images, level=level)
        decoded = np.stack(codec.decompress_batch(streams))
        np.testing.assert_array_equal(decoded, codec.lossy.synthesise(codec.lossy.analyse(images, level), level))


def test_more_levels_an_image_than_there_are_and_more_shared_blocks_are_refused() -> None:
    with pytest.raises(ConfigError, match="levels_an_image"):
        config_of(levels_an_image=7)
    with pytest.raises(ConfigError, match="levels_an_image"):
        config_of(levels_an_image=0)
    with pytest.raises(ConfigError, match="stem_steps"):
        config_of(stem_steps=300)
    with pytest.raises(ConfigError, match="own_latents"):
        SeveralLevelsConfig(**SIZES, own_latents=24)
    with pytest.raises(ConfigError, match="coarse_latents"):
        SeveralLevelsConfig(**SIZES, own_latents=10, coarse_latents=15)
    with pytest.raises(ConfigError, match="shared_blocks"):
        SeveralLevelsConfig(**SIZES, shared_blocks=4)


def test_the_coarsest_levels_may_have_latents_of_their_own(tmp_path: Path) -> None:
    values = config_of(levels_an_image=3, stem_steps=20).to_dict()
    values["model"] |= {"own_latents": 6, "own_until": 5.0}
    values["optimiser"] |= {"steps": 60}
    config = training_config(values)
    model = SeveralLevelsVAE(config.model)
    assert [float(beta) >= 5 for beta in model.betas] == [True, True, False, False, False, False]
    opened = open_latents(model.betas[2:], 10, 18, 2.0).tolist()
    assert (opened[0], opened[-1]) == (11, 18)
    latents = model.analyse(torch.rand(6, 28, 28), torch.arange(6)).ne(0)
    assert [row.nonzero().ravel().tolist() for row in latents] == [
        list(range(first, end)) for first, end in ((0, 6), (0, 6), *((6, 6 + count) for count in opened))
    ]
    codec = Codec(read_model(run(config, tmp_path, SETS[0], SETS[1], hardware=Hardware(device="cpu"))))
    images = SETS[2].images[:20]
    for level, row in enumerate(codec.model.levels):
        coded = row.tables.coded
        assert not (coded[6:] if level < 2 else coded[:6]).any()
        streams = codec.compress_batch(images, level=level)
        decoded = np.stack(codec.decompress_batch(streams))
        np.testing.assert_array_equal(decoded, codec.lossy.synthesise(codec.lossy.analyse(images, level), level))


def test_a_transform_code_begins_at_the_first_component_for_either_kind_of_latents() -> None:
    sizes = SeveralLevelsConfig(**SIZES, levels=4, knots=2, own_latents=4)
    model, alone = SeveralLevelsVAE(sizes), SeveralLevelsVAE(SeveralLevelsConfig(**{**SIZES, "latents": 20}))
    for each in (model, alone):
        SeveralLevelsTrainable(each, SeveralLevelsObjective()).begin(SETS[0].images)
    straight, wanted = model.analysis.straight.weight, alone.analysis.straight.weight
    torch.testing.assert_close(straight[:4], wanted[:4])
    torch.testing.assert_close(straight[4:], wanted)


@pytest.mark.parametrize("shared", [1, 3])
@pytest.mark.parametrize("levels", [[0, 1], [0, 5, 2], [3, 3, 3, 3]])
def test_the_exported_analysis_is_the_model_s_whatever_is_open_in_a_batch(levels: list[int], shared: int) -> None:
    torch.manual_seed(9)
    sizes = SeveralLevelsConfig(**SIZES, levels=6, knots=3, coarse_latents=10, opens_at=2.0, shared_blocks=shared)
    model = SeveralLevelsVAE(sizes)
    images = SETS[2].images[: len(levels)]
    found = AnalysisSession(export_conditioned_analysis(model))(images, np.array(levels, np.int64))
    with torch.no_grad():
        wanted = model.analyse(torch.from_numpy(images / np.float32(255)), torch.tensor(levels))
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)
