"""What the page of the families says of bars, and of the paper's claims."""

from benchmarks.measuring.machine import write_results
from benchmarks.pages.family_bars import bars, deep_bar, sparse_bar
from benchmarks.pages.family_caveats import caveats
from benchmarks.pages.family_claims import claims, line
from benchmarks.studies.family_rows import row_path
from benchmarks.studies.family_runs import family_runs
from benchmarks.studies.family_summary import settings
from tests.benchmarks.studies.family_rows import row, rows_of
from vaecodec.evaluation.report.claims import judge_all
from vaecodec.evaluation.results.stored import read_results

RUNS = {data: {run.config.name: run for run in family_runs(data)} for data in ("mnist", "dsprites")}


def stored(folder, rows):
    for one in rows:
        write_results(row_path(folder, one.name), one.to_dict(), seed=0)
    return folder


def test_the_claims_are_the_reports_verdicts(tmp_path):
    runs = RUNS["mnist"]
    names = [f"{name}{seed}" for name in ("vae-mnist", "modified-beta-vae-mnist-beta-0.3") for seed in ("", "-seed-1")]
    losses = (80.0, 81.0, 60.0, 61.0)
    rows = [row(runs[name], file_bytes=12.0, reconstruction=loss) for name, loss in zip(names, losses, strict=True)]
    lines = claims(stored(tmp_path, rows), "mnist")
    (lower,) = (line for line in lines if line.startswith("The modified β-VAE excels"))
    assert "(Table 1): **confirmed**. At β = 0.3 against β = 1, 2 and 2 seeds." in lower
    assert "loss, modified − traditional −20.0 nats [" in lower
    assert not any(line.startswith("The traditional VAE's latents") for line in lines)  # no claim about trainings
    judged = {one.claim.key: one for one in judge_all(read_results(tmp_path))}
    finding = next(one for one in judged["modified-lower-loss"].findings if one.data == "mnist")
    assert lower == line(judged["modified-lower-loss"], finding)


def test_there_are_no_claims_without_rows(tmp_path):
    assert claims(tmp_path, "mnist") == []


def test_caveats_say_how_far_from_trained_and_which_rows_are_odd():
    runs = RUNS["dsprites"]
    rows = [
        row(runs["vae-dsprites"], file_bytes=12.0, psnr=20.0, reconstruction=62.0, kl=20.0),
        row(runs["beta-vae-dsprites-beta-0.5"], file_bytes=14.0, psnr=22.0),
        row(runs["decomposition-dsprites-narrow-spike-and-slab-alpha-30"], file_bytes=13.0, psnr=18.0),
        row(runs["decomposition-dsprites-student-t-alpha-10"], file_bytes=13.0, psnr=21.5),
    ]
    long_run = {"steps": 200_000, "reached": {"reconstruction_nats": 15.0, "kl_nats": 20.5}}
    seeds, distance, odd, chosen = caveats("dsprites", settings(rows), long_run)
    assert seeds.startswith("0 of 4 settings have several seeds")
    assert "15.0 nats and a bound of 35.5; vae here has 62.0 and 82.0." in distance
    assert "is -3.00 dB beside" in odd
    assert "(student-t-alpha-10) is +0.50 dB" in odd
    assert "chosen on test images" in chosen
    assert len(caveats("mnist", settings(rows[:2]), None)) == 1


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
    assert "30.0% of the symbols are zero (MISSED)" in text
    assert "files get longer by 4.0 bits" in text


def test_the_bar_of_sparse_latents_is_that_of_the_spike_and_slab_priors_alone():
    runs = {run.setting: run for run in family_runs("dsprites") if run.config.family in ("vae", "decomposition")}
    rows = [
        row(runs["vae"], file_bytes=12.0, hoyer=0.25),
        row(runs["spike-and-slab-alpha-30"], file_bytes=12.0, zero_share=0.59, hoyer=0.3),
        row(runs["narrow-spike-and-slab-alpha-30"], file_bytes=12.0, zero_share=0.61, hoyer=0.2),
        row(runs["student-t-alpha-10"], file_bytes=12.0, zero_share=0.2, hoyer=0.3),
    ]
    wide, narrow = sparse_bar(rows)
    assert "spike of 0.05 and slab, α 30: 59.0% of the symbols are zero (MISSED); Hoyer 0.300" in wide
    assert "spike of 0.02 and slab, α 30: 61.0% of the symbols are zero (holds); Hoyer 0.200" in narrow
    assert "(holds)" in wide.partition("Hoyer")[2]
    assert "(MISSED)" in narrow.partition("Hoyer")[2]


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
