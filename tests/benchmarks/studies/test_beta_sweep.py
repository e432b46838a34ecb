"""The configs of the β sweep."""

import dataclasses

import pytest

from benchmarks.studies.beta_sweep import BETAS, sweep_config


@pytest.mark.parametrize("data", ["mnist", "dsprites"])
def test_the_configs_of_a_sweep_differ_in_name_and_beta_and_its_schedule_alone(data):
    configs = [sweep_config(data, beta) for beta in BETAS]
    assert [config.objective.beta for config in configs] == [0.01, 0.1, 0.5, 1, 4, 16]
    assert [config.name.rpartition("-")[2] for config in configs] == ["0.01", "0.1", "0.5", "1", "4", "16"]
    first = configs[0]
    for config in configs:
        assert (config.objective.anneal_steps > 0) == (data == "dsprites" and config.objective.beta < 1)
        same = {name: getattr(first.objective, name) for name in ("beta", "anneal_from", "anneal_steps")}
        objective = dataclasses.replace(config.objective, **same)
        assert dataclasses.replace(config, name=first.name, objective=objective) == first


def test_the_quick_run_is_another_config_than_the_real_one():
    assert sweep_config("mnist", 1.0, quick=True) != sweep_config("mnist", 1.0)
