"""Which runs are done; nothing is trained here."""

import json

import numpy as np
import pytest

from benchmarks.measuring import runs
from benchmarks.measuring.runs import RunState
from benchmarks.studies.beta_sweep import sweep_config
from vaecodec.bitstream.container import pack_container
from vaecodec.data import ImageSet
from vaecodec.errors import ConfigError

TRAINING = ImageSet("mnist", "train", np.zeros((2, 28, 28), np.uint8), None, (), "made up")
OTHER = ImageSet("mnist", "train", np.ones((2, 28, 28), np.uint8), None, (), "made up")


def write_header(path, config):
    """A model file with nothing but what its summary is read from."""
    about = {"name": "x", "family": "beta-vae", "config": config, "data": {"sha256": TRAINING.sha256}}
    decode = {"height": 28, "width": 28}
    path.write_bytes(pack_container({"decode": decode, "encode": {"betas": [1.0]}, "about": about}, {}))


def test_a_run_is_absent_started_done_or_of_another_config_or_other_data(tmp_path):
    config = sweep_config("mnist", 1.0)
    assert runs.run_state(config, TRAINING, tmp_path) is RunState.ABSENT
    path = runs.model_path(config, tmp_path)
    path.parent.mkdir()
    (path.parent / "checkpoint.pt").write_bytes(b"")
    assert runs.run_state(config, TRAINING, tmp_path) is RunState.STARTED
    stored = json.loads(json.dumps(config.to_dict()))
    write_header(path, stored)
    assert runs.run_state(config, TRAINING, tmp_path) is RunState.DONE
    assert runs.ensure_run(config, tmp_path, (TRAINING, TRAINING)) == path
    assert runs.run_state(config, OTHER, tmp_path) is RunState.OTHER_DATA
    with pytest.raises(ConfigError, match="other data"):
        runs.ensure_run(config, tmp_path, (OTHER, OTHER))
    for other in ({**stored, "seed": 1}, {**stored, "of_a_later_release": 1}):
        write_header(path, other)
        assert runs.run_state(config, TRAINING, tmp_path) is RunState.OTHER_CONFIG
        with pytest.raises(ConfigError, match="another config"):
            runs.ensure_run(config, tmp_path, (TRAINING, TRAINING))


def test_the_runs_folder_is_the_environments_or_the_checkouts(tmp_path, monkeypatch):
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    assert runs.runs_folder() == tmp_path
    monkeypatch.delenv(runs.RUNS_VARIABLE)
    assert runs.runs_folder() == runs.ROOT / "runs"


def test_the_last_line_of_the_metrics_is_the_runs(tmp_path):
    assert runs.last_metrics(tmp_path) is None
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n', encoding="utf-8")
    assert runs.last_metrics(tmp_path) == {"step": 2}
