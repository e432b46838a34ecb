"""Stored rows stand in for runs that are not at hand, and only for those of the same config and data."""

import dataclasses
import json

import numpy as np
import pytest

from benchmarks import rate_distortion
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.stored import find_row, read_rows
from benchmarks.measuring.sweep import measure_sweep
from benchmarks.studies import beta_sweep
from vaecodec.data import ImageSet

TRAINING, TEST = (
    ImageSet("mnist", split, np.full((2, 28, 28), value, np.uint8), None, (), "made up")
    for value, split in enumerate(("train", "test"))
)
SETS = (TRAINING, TRAINING)


def stored_row(config, **changes):
    """A row as it stands in a result, with made-up numbers."""
    point = {"file_bytes": 20 - config.objective.beta, "mse": config.objective.beta}
    return {
        "name": config.name,
        "beta": config.objective.beta,
        "point": point,
        "coded_latents": 3,
        "distortion_nats": config.objective.beta,
        "config": config.to_dict(),
        "training_sha256": TRAINING.sha256,
        "test_sha256": TEST.sha256,
        "provenance": {"command": "python -m x", "time_utc": "2020", "git_commit": "0", "git_changes": False},
        **changes,
    }


def stored(path, rows):
    """The rows after they went through a file."""
    write_results(path, {"sweep": rows}, seed=0)
    return read_rows(path)


@pytest.mark.parametrize("train", [False, True])
def test_a_stored_row_is_used_and_its_run_not_trained_again(train, tmp_path):
    configs = beta_sweep.sweep_configs("mnist")
    values = [stored_row(config) for config in configs]
    rows = stored(tmp_path / "results.json", values)
    found, missing = measure_sweep(configs, tmp_path / "runs", TEST, SETS, rows, train=train)
    assert [row.to_dict() for row in found] == values
    assert not missing
    assert not (tmp_path / "runs").exists()
    assert [row.for_check().mse for row in found] == list(beta_sweep.BETAS)


def test_a_row_of_another_config_or_of_other_data_or_that_does_not_say_is_not_used(tmp_path):
    config = beta_sweep.sweep_config("mnist", 1.0)
    values = stored_row(config)
    other = config.to_dict() | {"seed": 1}
    rows = [
        values | {"config": other},
        values | {"config": other | {"of_a_later_release": 1}},
        values | {"training_sha256": TEST.sha256},
        values | {"test_sha256": TRAINING.sha256},
        {key: value for key, value in values.items() if key != "training_sha256"},
        {key: value for key, value in values.items() if key != "provenance"},
    ]
    for row in rows:
        kept = stored(tmp_path / "results.json", [row])
        found, missing = measure_sweep([config], tmp_path / "runs", TEST, SETS, kept, train=False)
        assert not found
        assert missing == [{"name": config.name, "state": "absent"}]


def test_without_a_stored_result_there_are_no_rows(tmp_path):
    assert read_rows(tmp_path / "results.json") == []


@pytest.mark.parametrize("data", ["mnist", "dsprites"])
def test_every_row_in_results_is_found_for_the_sweeps_own_configs(data):
    path = RESULTS / f"rate-distortion-{data}.json"
    result, rows = json.loads(path.read_text(encoding="utf-8")), read_rows(path)
    missing = {entry["name"] for entry in result["missing"]}
    assert len(rows) == len(result["sweep"])
    for config in beta_sweep.sweep_configs(data):
        origin = dataclasses.replace(rows[0].origin, config=config)
        assert (find_row(rows, origin) is None) == (config.name in missing)


def test_a_missing_run_is_a_failure_and_so_is_a_broken_pair_that_was_not_trained_quickly():
    fine = {"missing": [], "checks": [{"holds": True}]}
    assert not rate_distortion.fails(fine, quick=False)
    assert rate_distortion.fails(fine | {"missing": [{"name": "x", "state": "absent"}]}, quick=False)
    assert rate_distortion.fails(fine | {"missing": [{"name": "x", "state": "absent"}]}, quick=True)
    broken = fine | {"checks": [{"holds": True}, {"holds": False}]}
    assert rate_distortion.fails(broken, quick=False)
    assert not rate_distortion.fails(broken, quick=True)
