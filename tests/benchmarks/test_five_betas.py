"""One model against separate ones: their configs, and what is concluded; nothing is trained here."""

import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("bjontegaard")

from benchmarks import five_betas
from benchmarks.measuring.machine import write_results
from benchmarks.measuring.stored import Origin, SweepRow, read_rows
from vaecodec.data import ImageSet
from vaecodec.evaluation.rd import RatePoint
from vaecodec.families.conditioned.levels import beta_grid, open_latents

TRAINING, TEST = (
    ImageSet("mnist", split, np.full((2, 28, 28), value, np.uint8), None, (), "made up")
    for value, split in enumerate(("train", "test"))
)


@pytest.mark.parametrize("quick", [False, True])
def test_the_separate_runs_differ_in_their_one_beta_alone(quick):
    one = five_betas.conditioned_config(quick=quick)
    levels = five_betas.chosen_levels(one)
    assert (len(levels), levels[0], levels[-1]) == (5, 0, one.model.levels - 1)
    grid = beta_grid(one.model.beta_high, one.model.beta_low, one.model.levels)
    configs = [five_betas.separate_config(one, level) for level in levels]
    several = five_betas.several_config(one)
    assert len({config.name for config in [one, several, *configs]}) == 7
    assert several.optimiser == one.optimiser
    for config, level in zip(configs, levels, strict=True):
        alone = beta_grid(config.model.beta_high, config.model.beta_low, 1)
        assert alone.tolist() == pytest.approx([float(grid[level])], rel=1e-6)
        of_the_grid = {
            name: getattr(one.model, name)
            for name in ("levels", "knots", "beta_high", "beta_low", "coarse_latents", "opens_at")
        }
        model = dataclasses.replace(config.model, **of_the_grid)
        assert dataclasses.replace(config, name=one.name, model=model) == one


def test_a_separate_run_has_the_latents_that_its_level_has_open():
    one = five_betas.conditioned_config()
    opened = open_latents(
        beta_grid(one.model.beta_high, one.model.beta_low, one.model.levels),
        one.model.coarse_latents,
        one.model.latents,
        one.model.opens_at,
    )
    for level in five_betas.chosen_levels(one):
        model = five_betas.separate_config(one, level).model
        betas = beta_grid(model.beta_high, model.beta_low, model.levels)
        alone = open_latents(betas, model.coarse_latents, model.latents, model.opens_at)
        assert alone.tolist() == [opened[level]]


def row(beta, file_bytes, psnr_db):
    point = RatePoint(
        codec="conditioned-vae",
        setting=f"{beta:g}",
        images=2,
        file_bytes=file_bytes,
        file_bpp=8 * file_bytes / 784,
        payload_bytes=file_bytes - 7,
        information_bytes=file_bytes - 7,
        mse=255**2 / 10 ** (psnr_db / 10),
        psnr_db=psnr_db,
        mean_image_psnr_db=psnr_db,
        ms_ssim=1 - 10 ** (-psnr_db / 10),
        ms_ssim_scales=2,
    )
    measured = {"beta": beta, "point": point.to_dict(), "distortion_nats": 100.0 * beta, "coded_latents": 9}
    origin = Origin(five_betas.conditioned_config(), TRAINING.sha256, TEST.sha256)
    return SweepRow(origin, {"time_utc": "2020"}, measured)


PAIRS = [(16.0, 12.0, 18.0), (1.0, 37.0, 26.0), (0.1, 87.0, 32.0)]


@pytest.mark.parametrize(("factor", "holds"), [(1.01, True), (0.9, True), (1.03, False)])
def test_the_bar_is_two_per_cent(factor, holds):
    separate = [row(*pair) for pair in PAIRS]
    conditioned = [row(beta, factor * size, psnr_db) for beta, size, psnr_db in PAIRS]
    found = five_betas.conclude(separate, conditioned, separate, complete=True)
    assert found["bd_rate_per_cent"]["psnr"] == pytest.approx(100 * (factor - 1), abs=1e-6)
    assert found["bd_rate_per_cent"]["ms_ssim"] == pytest.approx(100 * (factor - 1), abs=1e-6)
    assert found["one_an_image_bd_rate_per_cent"]["psnr"] == pytest.approx(0, abs=1e-6)
    assert found["holds"] is holds
    assert found["pairs"][1]["separate"]["cost_nats"] == pytest.approx(100 + 30 * 8 * np.log(2))


def test_nothing_is_concluded_from_a_part():
    found = five_betas.conclude([row(*PAIRS[0])], [], [], complete=False)
    assert (found["bd_rate_per_cent"], found["holds"], found["pairs"]) == (None, False, [])


@pytest.mark.parametrize("train", [False, True])
def test_stored_levels_stand_for_a_run_that_is_not_at_hand(train, tmp_path):
    path = tmp_path / "five.json"
    write_results(path, {"conditioned": [row(*pair).to_dict() for pair in PAIRS]}, seed=0)
    known = read_rows(path, "conditioned")
    one, sets = five_betas.conditioned_config(), (TRAINING, TRAINING)
    found = five_betas.measure_conditioned(one, tmp_path, TEST, sets, known, train=train)
    assert [each.measured["beta"] for each in found] == [16.0, 1.0, 0.1]
    other = dataclasses.replace(one, seed=1)
    assert five_betas.measure_conditioned(other, tmp_path, TEST, sets, known, train=False) == []


def test_what_is_missing_is_said_and_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(five_betas, "RESULTS", tmp_path)
    monkeypatch.setattr(five_betas, "load_dataset", lambda name, split: TEST)
    monkeypatch.setattr(five_betas, "training_sets", lambda name, quick: (TRAINING, TRAINING))
    assert five_betas.main(["--no-train", "--runs", str(tmp_path)]) == 1
    result = json.loads((tmp_path / "five-betas-mnist.json").read_text(encoding="utf-8"))
    assert len(result["missing"]) == 7
    assert result["holds"] is False


def test_a_run_of_another_name_is_refused():
    with pytest.raises(SystemExit):
        five_betas.main(["--only", "mnist-flagship-4"])
