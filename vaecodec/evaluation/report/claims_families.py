"""What the paper's Table 1 says of the other systems; judged at the bytes that the β-VAE's curve has too."""

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

from vaecodec.evaluation.report.claim import Claim, Finding, Number, Verdict, shown, side, untestable
from vaecodec.evaluation.results.noise import EqualBytes, by_setting, different_runs, most_seeded
from vaecodec.evaluation.results.stored import DATA, Results, TrainedRun


def accuracy(results: Results, family: str, *, higher: bool) -> Iterator[Finding]:
    """PSNR beside the β-VAE at the same bytes; decided where the intervals of all settings lie on one side."""
    for data in DATA:
        curve = EqualBytes(results.of(data), lambda run: run.psnr_db)
        own = [run for run in different_runs(results.of(data)) if run.family == family]
        settings = {setting: part for (_, setting), part in by_setting(own).items()}
        found = {name: curve.estimate(part) for name, part in settings.items()}
        estimates = {name: one for name, one in found.items() if one is not None}
        if not estimates:
            yield Finding(data, Verdict.NOT_DECIDED, "no setting at bytes that the curve has")
            continue
        numbers = tuple(shown(name, one, "dB") for name, one in estimates.items())
        verdicts = {side(one.interval, wanted_above=higher) for one in estimates.values()}
        outside = len(found) - len(estimates)
        more = f"; {outside} outside the curve's bytes" if outside else ""
        why = (
            f"PSNR less the β-VAE's at the same bytes, {len(estimates)} trainings{more}. Decided where all their "
            "intervals lie on one side."
        )
        yield Finding(data, verdicts.pop() if len(verdicts) == 1 else Verdict.NOT_DECIDED, why, numbers)


def kept(runs: Sequence[TrainedRun], family: str) -> list[TrainedRun]:
    """The family's runs at β = 1, where it has such; else all."""
    own = [run for run in runs if run.family == family]
    return [run for run in own if run.beta == 1] or own


def costs_more(results: Results) -> Iterator[Finding]:
    """nvae's seconds a training beside vae's: of different machines and steps, so that only a wide gap decides."""
    for data in DATA:
        deep, flat = kept(results.of(data), "nvae"), most_seeded(results.of(data), "vae")
        if not deep or not flat:
            yield Finding(data, Verdict.NOT_DECIDED, "a training is missing")
            continue
        times = min(run.seconds for run in deep) / max(run.seconds for run in flat)
        numbers = (
            Number("nvae's training", fmean(run.seconds for run in deep), "s", digits=0),
            Number("vae's training", fmean(run.seconds for run in flat), "s", digits=0),
            Number("shortest to longest", times, "×"),
        )
        verdict = Verdict.CONFIRMED if times > 1 else Verdict.NOT_DECIDED
        yield Finding(
            data, verdict, "Elapsed time, in as many steps as each config says; machines were shared.", numbers
        )


def overfits(results: Results) -> Iterator[Finding]:
    """How far nvae's validation bound rose from its lowest: overfitting shows so, and not in a training too short."""

    def rise(run: TrainedRun) -> float:
        bounds = [point.validation_distortion_nats + point.validation_rate_nats for point in run.curves]
        return 100 * (bounds[-1] / min(bounds) - 1)

    for data in DATA:
        deep, flat = kept(results.of(data), "nvae"), most_seeded(results.of(data), "vae")
        if not deep or not flat:
            yield Finding(data, Verdict.NOT_DECIDED, "a training is missing")
            continue
        numbers = (
            Number("nvae: rise of the validation bound from its lowest", max(map(rise, deep)), "%", digits=1),
            Number("vae, largest over seeds", max(map(rise, flat)), "%", digits=1),
        )
        verdict = Verdict.CONFIRMED if numbers[0].value > max(1.0, numbers[1].value) else Verdict.NOT_DECIDED
        yield Finding(
            data, verdict, "No rise in a training of this length shows neither that nor its contrary.", numbers
        )


def _accuracy(family: str, *, higher: bool) -> Callable[[Results], Sequence[Finding]]:
    return lambda results: list(accuracy(results, family, higher=higher))


CLAIMS = (
    Claim(
        "hfvae-accuracy",
        "Table 1",
        "Structured disentangled representations (hfvae) reconstruct more accurately than the traditional VAE.",
        _accuracy("hfvae", higher=True),
    ),
    Claim(
        "decomposition-accuracy",
        "Table 1",
        "Mathieu et al.'s model (decomposition) reconstructs more accurately than the traditional VAE.",
        _accuracy("decomposition", higher=True),
    ),
    Claim(
        "nvae-accuracy",
        "Table 1",
        "NVAE reconstructs only as accurately as the traditional VAE.",
        _accuracy("nvae", higher=False),
    ),
    Claim("nvae-cost", "Table 1", "NVAE needs much more computing.", lambda results: list(costs_more(results))),
    Claim("nvae-overfits", "Table 1", "NVAE is at risk of overfitting.", lambda results: list(overfits(results))),
    Claim(
        "hfvae-generalises",
        "Table 1",
        "Structured disentangled representations do not carry over to other data sets.",
        untestable("No model here is used on data of another kind than it was trained on."),
    ),
    Claim(
        "tuning-complex",
        "Table 1",
        "The modified β-VAE is harder to implement.",
        untestable("An opinion: its code is the β-VAE's."),
    ),
)
