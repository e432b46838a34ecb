"""Which runs of the sweep are done; nothing is trained here."""

import dataclasses
import json

import numpy as np
import pytest

from benchmarks import sweep
from benchmarks.sweep import RunState
from vaecodec.bitstream.container import pack_container
from vaecodec.data import ImageSet
from vaecodec.errors import ConfigError

TRAINING = ImageSet("mnist", "train", np.zeros((2, 28, 28), np.uint8), None, (), "made up")
OTHER = ImageSet("mnist", "train", np.ones((2, 28, 28), np.uint8), None, (), "made up")


@pytest.mark.parametrize("data", ["mnist", "dsprites"])
def test_the_configs_of_a_sweep_differ_in_name_and_beta_and_its_schedule_alone(data):
    configs = [sweep.sweep_config(data, beta) for beta in sweep.BETAS]
    assert [config.objective.beta for config in configs] == [0.01, 0.1, 0.5, 1, 4, 16]
    assert [config.name.rpartition("-")[2] for config in configs] == ["0.01", "0.1", "0.5", "1", "4", "16"]
    first = configs[0]
    for config in configs:
        assert (config.objective.anneal_steps > 0) == (data == "dsprites" and config.objective.beta < 1)
        same = {name: getattr(first.objective, name) for name in ("beta", "anneal_from", "anneal_steps")}
        objective = dataclasses.replace(config.objective, **same)
        assert dataclasses.replace(config, name=first.name, objective=objective) == first


def test_the_quick_run_is_another_config_than_the_real_one():
    assert sweep.sweep_config("mnist", 1.0, quick=True) != sweep.sweep_config("mnist", 1.0)


def write_header(path, config):
    """A model file with nothing but what its summary is read from."""
    about = {"name": "x", "family": "beta-vae", "config": config, "data": {"sha256": TRAINING.sha256}}
    decode = {"height": 28, "width": 28}
    path.write_bytes(pack_container({"decode": decode, "encode": {"betas": [1.0]}, "about": about}, {}))


def test_a_run_is_absent_started_done_or_of_another_config_or_other_data(tmp_path):
    config = sweep.sweep_config("mnist", 1.0)
    assert sweep.run_state(config, TRAINING, tmp_path) is RunState.ABSENT
    path = sweep.model_path(config, tmp_path)
    path.parent.mkdir()
    (path.parent / "checkpoint.pt").write_bytes(b"")
    assert sweep.run_state(config, TRAINING, tmp_path) is RunState.STARTED
    stored = json.loads(json.dumps(config.to_dict()))
    write_header(path, stored)
    assert sweep.run_state(config, TRAINING, tmp_path) is RunState.DONE
    assert sweep.ensure_run(config, tmp_path, (TRAINING, TRAINING)) == path
    assert sweep.run_state(config, OTHER, tmp_path) is RunState.OTHER_DATA
    with pytest.raises(ConfigError, match="other data"):
        sweep.ensure_run(config, tmp_path, (OTHER, OTHER))
    for other in ({**stored, "seed": 1}, {**stored, "of_a_later_release": 1}):
        write_header(path, other)
        assert sweep.run_state(config, TRAINING, tmp_path) is RunState.OTHER_CONFIG
        with pytest.raises(ConfigError, match="another config"):
            sweep.ensure_run(config, tmp_path, (TRAINING, TRAINING))


def test_the_runs_folder_is_the_environments_or_the_checkouts(tmp_path, monkeypatch):
    monkeypatch.setenv(sweep.RUNS_VARIABLE, str(tmp_path))
    assert sweep.runs_folder() == tmp_path
    monkeypatch.delenv(sweep.RUNS_VARIABLE)
    assert sweep.runs_folder() == sweep.ROOT / "runs"


def test_the_last_line_of_the_metrics_is_the_runs(tmp_path):
    assert sweep.last_metrics(tmp_path) is None
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n', encoding="utf-8")
    assert sweep.last_metrics(tmp_path) == {"step": 2}
