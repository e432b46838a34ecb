"""The families' sweep: its runs, what is concluded from its rows, the tables; nothing is trained here."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import families, family_table
from benchmarks.correlation import correlation, sample_of
from benchmarks.family_bars import bars, deep_bar
from benchmarks.family_claims import claims
from benchmarks.family_measure import gradient_energy, zero_share
from benchmarks.family_rows import FamilyRow, read_row, read_rows, row_path
from benchmarks.family_runs import DATA, FAMILIES, KEPT, TUNED_BETAS, family_runs
from benchmarks.family_summary import at_bytes, at_rate, beta_curve, settings, tuned_beta
from benchmarks.machine import RESULTS, write_results
from benchmarks.stored import Origin


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


def row(run, *, file_bytes, psnr=20.0, reconstruction=80.0, kl=20.0, bound=None, **more):
    """A row as a measured run would have it."""
    point = {"file_bytes": file_bytes, "psnr_db": psnr, "ms_ssim": 0.9, "payload_bytes": file_bytes - 7, "mse": 1.0}
    information = 8 * (file_bytes - 7) - 2.5
    measured = {
        "family": run.config.family,
        "data": run.config.data,
        "setting": run.setting,
        "knob": run.knob,
        "swept": run.swept,
        "test_images": 100,
        "finish": {"coded_latents": 10},
        "files": {
            "point": point,
            "information_bits": information,
            "payload_bits": information + 2.5,
            "own_reconstruction": True,
            "within_bound": True,
            "latent_bits": [information],
            "zero_share": more.get("zero_share", 0.3),
            "gradient_energy_ratio": more.get("energy", 0.8),
        },
        "float": {
            "reconstruction_nats": reconstruction,
            "kl_nats": kl,
            "kl_bits": kl / math.log(2),
            "elbo_nats": -reconstruction - kl,
            "active_latents": 9,
            "latents": 32,
            "mean_latent": more.get("mean_latent", 0.5),
            "hoyer": more.get("hoyer", 0.2),
        },
        "curves": [
            {"validation_distortion_nats": reconstruction, "validation_rate_nats": kl if bound is None else bound - 80}
        ],
    }
    return FamilyRow(Origin(run.config, "train", "test"), {"time_utc": "now"}, measured)


def rows_of(data="mnist"):
    """A row for every run; files shrink along each family's sweep."""
    found = []
    for k, run in enumerate(family_runs(data)):
        knob = run.knob or 0.0
        found.append(row(run, file_bytes=20 - 3 * math.log10(1 + knob) + 0.1 * run.config.seed, psnr=22 - 0.01 * k))
    return found


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
    work.out, work.quick, work.fresh, work._hashes = tmp_path, False, False, ("train", "test")
    assert work.stored(run).measured["files"]["point"]["file_bytes"] == 12.0
    assert work.state(run) == "stored"
    work._hashes = ("train", "other")
    assert work.stored(run) is None
    work._hashes = ("train", "test")
    changed = replace(run, config=replace(run.config, seed=5))
    assert work.stored(changed) is None
    work.fresh = True
    assert work.stored(run) is None


def test_a_run_that_breaks_a_bar_is_not_done(tmp_path):
    run = family_runs("mnist")[0]
    work = families.Work.__new__(families.Work)
    work.out, work.quick, work.fresh, work._hashes = tmp_path, False, False, ("train", "test")
    for name, done in (("own_reconstruction", False), ("within_bound", False), (None, True)):
        stored = row(run, file_bytes=12.0)
        if name:
            stored.measured["files"][name] = False
        write_results(row_path(tmp_path, stored.name), stored.to_dict(), seed=0)
        assert work.done(run, train=False) is done


def test_seeds_are_averaged_with_their_deviation():
    found = settings(rows_of())
    vae = found[0]
    assert (vae.family, vae.seeds) == ("vae", 3)
    assert vae.file_bytes.mean == pytest.approx(20.1)
    assert vae.file_bytes.deviation == pytest.approx(0.1)
    assert [one.setting for one in found if one.family == "beta-vae"] == ["beta-0.1", "beta-0.5", "beta-4"]


def test_values_at_equal_bytes_lie_between_the_points_and_never_outside():
    curve = [(20.0, 23.0), (10.0, 18.0), (14.0, 20.0)]
    assert at_bytes(curve, 12.0) == pytest.approx(19.0)
    assert at_bytes(curve, 20.0) == pytest.approx(23.0)
    assert at_bytes(curve, 9.9) is None
    assert at_bytes(curve, 20.1) is None
    assert at_bytes([], 5.0) is None
    assert at_bytes([(10.0, 18.0)], 10.0) == 18.0
    assert at_bytes([(10.0, 18.0), (10.0, 19.0), (12.0, 20.0)], 10.0) == pytest.approx(18.5)


def test_a_bent_curve_is_met_between_its_points():
    rate = np.array([9.0, 10.0, 12.0, 16.0, 20.0])
    curve = list(zip(rate, 10 * np.log2(rate - 7), strict=True))
    assert at_bytes(curve, 14.0) == pytest.approx(10 * math.log2(7), abs=0.1)  # a straight line: 0.6 too low


def test_the_curve_is_of_all_beta_families_and_a_familys_own_is_of_its_sweep():
    found = settings(rows_of())
    curve = beta_curve(found, lambda one: one.psnr_db.mean)
    assert len(curve) == len({1.0, 0.1, 0.5, 4.0, *TUNED_BETAS})
    for family in ("vae", "beta-vae", "modified-beta-vae"):
        assert at_rate(found, family, 18.0, lambda one: one.psnr_db.mean) == at_bytes(curve, 18.0)
    inside = at_rate(found, "capacity", 16.5, lambda one: one.knob)
    assert 10 < inside < 30
    assert at_rate(found, "capacity", 30.0, lambda one: one.knob) is None


def test_the_tuned_beta_has_the_best_bound_on_validation_images():
    runs = [run for run in family_runs("mnist") if run.config.family == "modified-beta-vae" and run.config.seed == 0]
    found = settings([row(run, file_bytes=12.0, bound=100 + abs(math.log(run.knob / 0.3))) for run in runs])
    assert tuned_beta(found).beta == 0.3
    assert tuned_beta(found[1:]) is None  # not before all are there
    assert tuned_beta([]) is None


def tuned_rows(vae_losses, tuned_losses, best):
    """vae's seeds, and modified-beta-vae at its seven β, whose bound is best at one of them."""
    runs = {run.config.name: run for run in family_runs("mnist")}
    names = ("vae-mnist", "vae-mnist-seed-1", "vae-mnist-seed-2")
    vae = [row(runs[name], file_bytes=12.0, reconstruction=loss) for name, loss in zip(names, vae_losses, strict=True)]
    tuned = [
        row(
            runs[f"modified-beta-vae-mnist-beta-{beta:g}"],
            file_bytes=12.0,
            reconstruction=loss,
            bound=(180 if beta == best else 280) - loss,  # row() adds the distortion to it
            mean_latent=1 / (1 + abs(math.log(beta / 0.3))),
        )
        for beta, loss in zip(TUNED_BETAS, tuned_losses, strict=True)
    ]
    return settings([*vae, *tuned])


def test_claims_are_borne_out_or_contradicted_by_the_numbers():
    losses = (50.0, 60.0, 65.0, 70.0, 80.2, 90.0, 120.0)
    better = claims(tuned_rows((80.0, 81.0, 79.0), losses, best=0.3))
    assert "tuned to β = 0.3, against vae): -10.0 nats of reconstruction, beyond" in better[0]
    assert "make of it: borne out" in better[0]
    assert better[1].endswith("contradicted")
    assert better[2].endswith("borne out")
    assert "largest at β = 0.3: borne out" in better[3]
    same = claims(tuned_rows((80.0, 81.0, 79.0), losses, best=1.0))
    assert "+0.2 nats of reconstruction, within what seeds make of it: no difference" in same[0]
    assert same[1].endswith("no difference")
    worse = claims(tuned_rows((80.0, 80.0, 80.0), (*losses[:5], 78.0, 120.0), best=10.0))
    assert "make of it: contradicted" in worse[0]
    assert worse[1].endswith("borne out")
    assert worse[2].endswith("contradicted")
    assert claims(tuned_rows((80.0, 81.0, 79.0), losses, best=1.0)[:-1]) == []  # a β is missing
    assert claims([]) == []


@pytest.mark.parametrize(
    ("family", "psnr", "verdict"),
    [
        (
            "hfvae",
            (21.5, 22.0),
            "+0.5 to +1.0 dB over 2 settings beside the β-VAE at the same bytes, better: borne out",
        ),
        (
            "hfvae",
            (20.5, 20.0),
            "-1.0 to -0.5 dB over 2 settings beside the β-VAE at the same bytes, worse: contradicted",
        ),
        ("hfvae", (20.5, 22.0), "better or worse by the setting: contradicted"),
        ("nvae", (20.5, 20.0), "worse: borne out"),
        ("nvae", (21.5, 22.0), "better: contradicted"),
    ],
)
def test_accuracy_is_judged_at_equal_bytes(family, psnr, verdict):
    runs = {run.config.name: run for run in family_runs("mnist")}
    own = [run for run in runs.values() if run.config.family == family][:2]
    rows = [
        row(runs["vae-mnist"], file_bytes=12.0, psnr=20.0),
        row(runs["beta-vae-mnist-beta-0.5"], file_bytes=14.0, psnr=22.0),
        *(row(run, file_bytes=13.0, psnr=value) for run, value in zip(own, psnr, strict=True)),
    ]
    (line,) = claims(settings(rows))
    assert line.endswith(verdict)


def test_bars_say_what_holds_and_what_is_missing(tmp_path):
    assert bars(tmp_path).count("mnist: not measured yet") == 1
    for one in rows_of():
        write_results(row_path(tmp_path, one.name), one.to_dict(), seed=0)
    rotation = {
        "bound": {"change_nats": 0.02},
        "holds": True,
        "total_correlation": {"before": {"nats": 5.0}, "after": {"nats": 9.0}},
        "files": {
            "before": {"information_bits": 40.0, "psnr_db": 19.0},
            "after": {"information_bits": 44.0, "psnr_db": 19.1},
        },
        "longer_bits": 4.0,
    }
    write_results(tmp_path / "rotation-mnist.json", rotation, seed=0)
    text = "\n".join(bars(tmp_path))
    assert "decode to the model's own reconstruction: holds" in text
    assert "capacity 20 nats: KL 20.00 nats (holds)" in text
    assert "capacity 10 nats: KL 20.00 nats (MISSED)" in text
    assert "30% of the symbols are zero (MISSED)" in text
    assert "files get longer by 4.0 bits" in text


def test_the_bars_of_nvae_compare_its_bound_with_vaes_and_its_psnr_at_equal_bytes():
    runs = {run.config.name: run for run in family_runs("mnist")}
    rows = [
        row(runs["vae-mnist"], file_bytes=12.0, kl=20.0),
        row(runs["beta-vae-mnist-beta-0.5"], file_bytes=20.0, psnr=22.0),
        row(runs["nvae-mnist-beta-1"], file_bytes=16.0, psnr=21.5, kl=19.0),
        row(runs["nvae-mnist-beta-4"], file_bytes=16.0, psnr=20.5),
        row(runs["nvae-mnist-beta-0.3"], file_bytes=90.0),
    ]
    assert list(deep_bar(settings(rows))) == [
        "nvae, β = 1: ELBO -99.00 for vae's -100.00 nats (holds)",
        "nvae, β = 1: 21.50 dB at 16.0 bytes, the β-VAE there 21.00 dB (holds)",
        "nvae, β = 4: 20.50 dB at 16.0 bytes, the β-VAE there 21.00 dB (MISSED)",
        "nvae, β = 0.3: 20.00 dB at 90.0 bytes, the β-VAE has no point there",
    ]


def test_the_page_and_the_block_are_what_the_rows_give():
    readme = family_table.README.read_text(encoding="utf-8")
    fresh = family_table.replace_block(readme, family_table.block(RESULTS), family_table.MARKERS)
    assert fresh == readme, "run python -m benchmarks.family_table"
    assert family_table.PAGE.read_text(encoding="utf-8") == family_table.page(RESULTS), "run benchmarks.family_table"


def test_every_setting_stands_on_the_page(tmp_path):
    for one in rows_of():
        write_results(row_path(tmp_path, one.name), one.to_dict(), seed=0)
    page = family_table.page(tmp_path)
    for one in settings(rows_of()):
        assert f"| {family_table.name_of(one)} |" in page
    block = family_table.block(tmp_path)
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
    equal = {(one.family, one.knob) for one in found if family_table.weighs_rate_once(one)}
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
