"""Claims of the paper, in worlds where they are true, false, or cannot be told."""

from pathlib import Path

import pytest

from tests.evaluation.results.rows import model, run, write
from vaecodec.evaluation.disentanglement.records import Interval
from vaecodec.evaluation.report.claim import Claim, Finding, Judged, Verdict, side
from vaecodec.evaluation.report.claims import CLAIMS, judge_all
from vaecodec.evaluation.results.stored import read_results

pytest.importorskip("scipy")

COMMITTED = Path(__file__).parents[3] / "benchmarks" / "results"


def verdicts(folder, *runs, models=()):
    found = judge_all(read_results(write(folder, runs, models)))
    return {one.claim.key: one.verdict.value for one in found}


def sweep(loss_at, *, size_at=lambda beta: 14 - beta, mean_at=lambda beta: 0.5):
    """Seven β; three seeds at 1 (vae) and at 0.3 (modified)."""
    rows = []
    for beta in (0.05, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0):
        family = "vae" if beta == 1 else "modified-beta-vae"
        for seed in range(3 if beta in (0.3, 1.0) else 1):
            loss = loss_at(beta) + 0.1 * seed
            size = size_at(beta)
            more = {"file_bytes": size, "psnr": 30 - loss / 10, "mean_latent": mean_at(beta), "energy": 1 - loss / 100}
            rows.append(run(family, beta, seed=seed, loss=loss, kl=40 / (1 + beta), **more))
    return rows


def test_reconstruction_claims_follow_the_trainings(tmp_path):
    found = verdicts(tmp_path, *sweep(lambda beta: 60 + 3 * beta))
    assert found["beta-fidelity"] == "confirmed"
    assert found["modified-lower-loss"] == "confirmed"
    assert found["modified-higher-loss"] == "contradicted"
    assert found["blur"] == "confirmed"
    assert found["loss-shape"] == "confirmed"
    assert found["modified-better-system"] == "not testable"


def test_a_rate_that_buys_nothing_contradicts_them(tmp_path):
    rows = sweep(lambda beta: 60 - 3 * beta)
    alike = {"validation_distortion_nats": 60.0, "validation_rate_nats": 20.0}
    for row in rows:  # so that no training counts as unfinished
        row["curves"] = [{**point, **alike} for point in row["curves"]]
    found = verdicts(tmp_path, *rows)
    assert found["beta-fidelity"] == "contradicted"
    assert found["modified-lower-loss"] == "contradicted"
    assert found["modified-higher-loss"] == "confirmed"
    assert found["blur"] == "contradicted"


def test_one_model_under_two_names_decides_nothing(tmp_path):
    rows = [
        run(family, 1.0, seed=seed, loss=60.0 + seed) for family in ("vae", "modified-beta-vae") for seed in range(3)
    ]
    assert verdicts(tmp_path, *rows)["modified-lower-loss"] == "not decided"


@pytest.mark.parametrize(
    ("mean_at", "expected"),
    [(lambda beta: 1 / (1 + beta), "contradicted"), (lambda beta: beta / (0.3 + beta) ** 2, "not decided")],
)
def test_the_mean_latent_falls_or_is_left_open(tmp_path, mean_at, expected):
    assert verdicts(tmp_path, *sweep(lambda beta: 60 + 3 * beta, mean_at=mean_at))["mean-latent"] == expected


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ((1.0, 2.0), "confirmed"),
        ((-1.0, -2.0), "contradicted"),
        ((1.0, -1.0), "not decided"),
        ((0.0, 1.0), "not decided"),
    ],
)
def test_accuracy_is_judged_at_equal_bytes_and_by_all_settings(tmp_path, gains, expected):
    rows = [run("beta-vae", beta, file_bytes=size, psnr=2 * size) for beta, size in ((8.0, 8.0), (0.5, 14.0))]
    rows += [run("vae", 1.0, seed=k, file_bytes=12.0, psnr=24 + 0.1 * (k - 1)) for k in range(3)]
    for k, gain in enumerate(gains):
        rows.append(
            run("hfvae", 1.0, setting=f"weight-{k}", file_bytes=10.0 + k, psnr=20.0 + 2 * k + gain, loss=50.0 + k)
        )
    assert verdicts(tmp_path, *rows)["hfvae-accuracy"] == expected


@pytest.mark.parametrize(
    ("vae", "other", "expected"),
    [(0.2, 0.4, "confirmed"), (0.4, 0.2, "contradicted"), (0.3, 0.31, "not decided")],
)
def test_disentanglement_is_compared_by_intervals(tmp_path, vae, other, expected):
    found = verdicts(tmp_path, models=[model("vae", vae), model("hfvae", other)])
    assert found["hfvae-disentangles"] == expected
    assert found["modified-disentangles"] == "not decided"  # its latents are not there


def test_seeds_widen_what_a_verdict_must_be_clear_of(tmp_path):
    runs = [run("vae", 1.0, data="dsprites", seed=k) for k in range(2)]
    other = model("hfvae", 0.4)
    near = [model("vae", score, name=one["name"]) for score, one in zip((0.2, 0.39), runs, strict=True)]
    assert verdicts(tmp_path / "near", *runs, models=[*near, other])["hfvae-disentangles"] == "not decided"
    far = [model("vae", score, name=one["name"]) for score, one in zip((0.2, 0.3), runs, strict=True)]
    assert verdicts(tmp_path / "far", *runs, models=[*far, other])["hfvae-disentangles"] == "confirmed"


def test_entangled_means_bits_and_axes_that_are_like_any(tmp_path):
    assert verdicts(tmp_path, models=[model("vae", 0.15)])["vae-entangled"] == "confirmed"
    assert verdicts(tmp_path, models=[model("vae", 0.9)])["vae-entangled"] == "not decided"
    free = model("vae", 0.9, entangled=(0.0, 0.0))
    assert verdicts(tmp_path, models=[free])["vae-entangled"] == "contradicted"


@pytest.mark.parametrize(("score", "expected"), [(0.1, "contradicted"), (0.8, "confirmed"), (0.5, "not decided")])
def test_one_source_each_is_dcis_question(tmp_path, score, expected):
    assert verdicts(tmp_path, models=[model("modified-beta-vae", score)])["one-source-each"] == expected


@pytest.mark.parametrize(("sign", "expected"), [(-1, "confirmed"), (1, "contradicted")])
def test_the_price_of_disentanglement_is_a_rank_correlation(tmp_path, sign, expected):
    runs, models = [], []
    for k in range(7):
        row = run("beta-vae", 1.0 + k, data="dsprites", psnr=25 + sign * k)
        runs.append(row)
        models.append(model("beta-vae", 0.1 + 0.1 * k, name=row["name"]))
    assert verdicts(tmp_path, *runs, models=models)["disentanglement-costs"] == expected


def test_a_verdict_needs_data_sets_that_agree():
    claim = Claim("x", "", "", lambda results: [])
    said = {
        name: Finding("", Verdict(name), "") for name in ("confirmed", "contradicted", "not decided", "not testable")
    }

    def of(*names):
        return Judged(claim, tuple(said[name] for name in names)).verdict.value

    assert of("confirmed", "not decided") == "confirmed"
    assert of("confirmed", "contradicted") == "not decided"
    assert of("not testable") == "not testable"
    assert of("not testable", "not decided") == "not decided"


def test_an_interval_decides_by_the_side_that_it_lies_on():
    assert side(Interval(1, 2), wanted_above=True) is Verdict.CONFIRMED
    assert side(Interval(1, 2), wanted_above=False) is Verdict.CONTRADICTED
    assert side(Interval(-1, 2), wanted_above=True) is Verdict.NOT_DECIDED
    assert side(Interval(-2, -1), wanted_above=True) is Verdict.CONTRADICTED


def test_claims_have_keys_of_their_own_and_a_place_in_the_paper():
    assert len({claim.key for claim in CLAIMS}) == len(CLAIMS)
    assert all(claim.where and claim.meaning for claim in CLAIMS)


def test_the_committed_results_leave_no_claim_without_a_finding():
    for one in judge_all(read_results(COMMITTED)):
        assert one.findings, one.claim.key
