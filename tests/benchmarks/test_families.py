"""The families' sweep: its runs, its rows, the page; nothing is trained here."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import families
from benchmarks.measuring.family_files import gradient_energy, zero_share
from benchmarks.measuring.images import DATA
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.pages import families_page
from benchmarks.pages.page import out_of_date
from benchmarks.studies.correlation import correlation, sample_of
from benchmarks.studies.family_rows import read_row, read_rows, row_path
from benchmarks.studies.family_runs import FAMILIES, KEPT, family_runs
from benchmarks.studies.family_summary import settings
from tests.benchmarks.studies.family_rows import row, rows_of


@pytest.mark.parametrize("data", DATA)
def test_the_sweep_has_what_was_asked_for(data):
    runs = family_runs(data)
    assert len({run.config.name for run in runs}) == len(runs)
    assert {run.config.data for run in runs} == {data}
    for family in FAMILIES:
        own = [run for run in runs if run.config.family == family and run.config.seed == 0 and run.swept]
        assert len(own) == {"vae": 1, "modified-beta-vae": 7}.get(family, 3)
        assert [run.kept for run in runs if run.config.family == family].count(True) == 1
    seeds = {family: {run.config.seed for run in runs if run.config.family == family} for family in FAMILIES}
    assert all(seeds[family] == {0, 1, 2} for family in ("vae", "beta-vae", "modified-beta-vae"))


@pytest.mark.parametrize("data", DATA)
def test_all_families_have_the_same_network_and_steps(data):
    configs = [run.config for run in family_runs(data) if run.config.family != "nvae"]  # which is another network
    for name in ("height", "width", "latents", "channels", "hidden", "patch"):
        assert len({getattr(config.model, name) for config in configs}) == 1, name
    assert len({config.optimiser for config in configs}) == 1


@pytest.mark.parametrize(("text", "share"), [("1/2", (1, 2)), ("3/3", (3, 3))])
def test_a_share_is_parsed(text, share):
    assert families.parse_share(text) == share


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "a/b", "1/2/3"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(Exception, match="K/N"):
        families.parse_share(text)


def test_a_row_comes_back_from_its_file(tmp_path):
    first = rows_of()[0]
    write_results(row_path(tmp_path, first.name), first.to_dict(), seed=0)
    again = read_row(row_path(tmp_path, first.name))
    assert again.origin == first.origin
    assert again.measured["float"] == pytest.approx(first.measured["float"], rel=1e-5)
    assert "git_commit" in again.provenance
    assert [found.name for found in read_rows(tmp_path)] == [first.name]
    assert read_row(tmp_path / "absent.json") is None
    path = row_path(tmp_path, "old")
    path.write_text(json.dumps({**first.to_dict(), "config": {"of": "a later release"}}))
    assert read_row(path) is None


def test_a_stored_row_stands_for_the_same_config_and_data_alone(tmp_path, monkeypatch):
    run = family_runs("mnist")[0]
    first = row(run, file_bytes=12.0)
    write_results(row_path(tmp_path, first.name), first.to_dict(), seed=0)
    work = families.Work.__new__(families.Work)
    work.out, work.quick, work.fresh, work.codes = tmp_path, False, False, False
    work._hashes = {"mnist": ("train", "test")}
    assert work.stored(run).measured["files"]["point"]["file_bytes"] == 12.0
    assert work.state(run) == "stored"
    work._hashes = {"mnist": ("train", "other")}
    assert work.stored(run) is None
    work._hashes = {"mnist": ("train", "test")}
    changed = replace(run, config=replace(run.config, seed=5))
    assert work.stored(changed) is None
    work.fresh = True
    assert work.stored(run) is None


def test_a_run_that_breaks_a_bar_is_not_done(tmp_path):
    run = family_runs("mnist")[0]
    work = families.Work.__new__(families.Work)
    work.out, work.quick, work.fresh, work.codes = tmp_path, False, False, False
    work._hashes = {"mnist": ("train", "test")}
    for name, done in (("own_reconstruction", False), ("within_bound", False), (None, True)):
        stored = row(run, file_bytes=12.0)
        if name:
            stored.measured["files"][name] = False
        write_results(row_path(tmp_path, stored.name), stored.to_dict(), seed=0)
        assert work.done(run, train=False) is done


def test_the_page_and_the_block_are_what_the_rows_give():
    assert out_of_date(families_page.pages(RESULTS)) == [], "run python -m benchmarks.family_table"


def test_every_setting_stands_on_the_page(tmp_path):
    for one in rows_of():
        write_results(row_path(tmp_path, one.name), one.to_dict(), seed=0)
    page = families_page.page(tmp_path)
    for one in settings(rows_of()):
        assert f"| {families_page.name_of(one)} |" in page
    block = families_page.block(tmp_path)
    assert all(family in block for family in KEPT)
    assert block.count("not measured yet") == 1  # dSprites


def test_zeros_and_gradients():
    assert zero_share(np.array([[0, 1], [0, 0]], np.int32)) == 0.75
    assert zero_share(np.empty((3, 0), np.int32)) is None
    steps = np.tile(np.array([0, 10], np.uint8), (1, 4, 4))
    assert gradient_energy(steps) == pytest.approx(100)
    assert gradient_energy(steps // 2) == pytest.approx(25)


def test_objectives_at_equal_beta_weigh_all_of_the_rate_once():
    found = settings(rows_of())
    equal = {(one.family, one.knob) for one in found if families_page.weighs_rate_once(one)}
    assert {("vae", None), ("nvae", 1.0), ("modified-beta-vae", 1.0), ("hfvae", 1.0), ("decomposition", 30.0)} <= equal
    assert not {family for family, _ in equal} & {"beta-vae", "capacity"}
    assert ("hfvae", 3.0) not in equal


def test_total_correlation_is_that_of_a_gaussian_and_zero_for_independent_latents():
    """Posterior means N(0, Σ) and a common small σ: the aggregate is close to N(0, Σ + σ² I)."""
    rng = np.random.default_rng(1)
    count, sigma = 4000, 0.5
    independent = rng.standard_normal((count, 2)).astype(np.float32)
    rho = 0.8
    mixed = independent @ np.linalg.cholesky([[1, rho], [rho, 1]]).T.astype(np.float32)
    exact = -0.5 * math.log(1 - (rho / (1 + sigma**2)) ** 2)
    for mean, wanted in ((independent, 0.0), (mixed, exact)):
        spread = np.full_like(mean, sigma)
        y = sample_of(mean, spread, 500, rng)
        assert correlation(mean, spread, y).total_nats == pytest.approx(wanted, abs=0.08)
