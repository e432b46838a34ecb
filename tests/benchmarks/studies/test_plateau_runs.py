"""The long runs: which there are, and when one is said to be on its plateau."""

import pytest

from benchmarks.studies.plateau_runs import BETAS, on_plateau, plateau_runs


def test_the_runs_have_the_same_network_and_steps():
    configs = [run.config for run in plateau_runs("dsprites")]
    assert len({config.name for config in configs}) == len(configs)
    assert {config.data for config in configs} == {"dsprites-mixed"}
    assert len({config.optimiser for config in configs}) == 1
    for name in ("height", "width", "latents", "channels", "hidden", "patch"):
        assert len({getattr(config.model, name) for config in configs}) == 1, name


def test_what_is_to_be_told_from_chance_has_three_seeds():
    seeds = {}
    for run in plateau_runs("dsprites"):
        seeds.setdefault((run.config.family, run.setting), set()).add(run.config.seed)
    for setting in (("vae", "vae"), ("hfvae", "weight-3"), ("beta-vae", "beta-4")):
        assert seeds[setting] == {0, 1, 2}
    assert sum(family == "beta-vae" for family, _ in seeds) == len(BETAS)


def test_drawn_images_are_for_training_alone():
    assert {run.data for run in plateau_runs("dsprites")} == {"dsprites"}


@pytest.mark.parametrize(("last", "expected"), [(99.6, True), (99.4, False), (101.0, True)])
def test_a_plateau_is_where_the_last_tenth_wins_less_than_half_a_per_cent(last, expected):
    curve = [
        {"step": step, "validation_objective_nats": nats} for step, nats in ((80, 120.0), (90, 100.0), (100, last))
    ]
    assert on_plateau(curve) is expected


def test_a_run_with_one_point_says_nothing():
    assert not on_plateau([{"step": 100, "validation_objective_nats": 1.0}])
