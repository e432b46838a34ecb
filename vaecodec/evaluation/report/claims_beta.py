"""What the paper says of β, and of its modified β-VAE beside the traditional one; judged by the trainings."""

from collections.abc import Iterator
from statistics import fmean

from vaecodec.evaluation.disentanglement.records import Interval
from vaecodec.evaluation.report.claim import Claim, Finding, Number, Verdict, shown, side, untestable
from vaecodec.evaluation.results.noise import (
    ONE_OBJECTIVE,
    EqualBytes,
    difference,
    different_runs,
    most_seeded,
    rank_correlation,
    seed_noise,
    unfinished,
)
from vaecodec.evaluation.results.stored import DATA, Results, TrainedRun

OPTIMUM = (0.1, 1.0)  # the paper's best β


def one_curve(results: Results, data: str) -> list[TrainedRun]:
    """The runs of distortion + β · KL, each once, β rising."""
    points = [run for run in different_runs(results.of(data)) if run.family in ONE_OBJECTIVE]
    return sorted(points, key=lambda run: (run.beta, run.seed))


def modified_against_vae(results: Results, data: str) -> tuple[list[TrainedRun], list[TrainedRun]]:
    """The seeds of modified-beta-vae and of vae, at different β: at one β they are one model, not two."""
    runs = results.of(data)
    first, second = most_seeded(runs, "modified-beta-vae"), most_seeded(runs, "vae")
    return ([], []) if {run.beta for run in first} & {run.beta for run in second} else (first, second)


def fidelity_falls(results: Results) -> Iterator[Finding]:
    """Rank correlation of β and reconstruction loss, over runs that were trained to their end."""
    for data in DATA:
        points = one_curve(results, data)
        left_out = unfinished(points)
        used = [run for run in points if run not in left_out]
        found = rank_correlation([run.beta for run in used], [run.reconstruction_nats for run in used])
        if found is None:
            yield Finding(data, Verdict.NOT_DECIDED, "too few trainings that reached their end")
            continue
        names = ", ".join(f"β {run.beta:g}" for run in left_out)
        more = f"; left out, since another training does better by their own objective: {names}" if left_out else ""
        why = f"Rank correlation of β and reconstruction loss over {found.n} trainings{more}."
        number = shown("Spearman's ρ, β and reconstruction loss", found)
        yield Finding(data, side(found.interval, wanted_above=True), why, (number,))


def modified_loses(results: Results, *, less: bool) -> Iterator[Finding]:
    """The modified β-VAE's reconstruction loss beside the traditional one's; less: the claim is that it is lower."""
    for data in DATA:
        first, second = modified_against_vae(results, data)
        noise = seed_noise(results.of(data), lambda run: run.reconstruction_nats)
        if not first or not second or noise is None:
            yield Finding(data, Verdict.NOT_DECIDED, "no two different trainings with seeds to compare")
            continue
        loss = difference(first, second, lambda run: run.reconstruction_nats, noise)
        spent = fmean(run.file_bytes for run in first) - fmean(run.file_bytes for run in second)
        why = (
            f"At β = {first[0].beta:g} against β = {second[0].beta:g}, {len(first)} and {len(second)} seeds. The two "
            "are one objective: what is gained in loss is paid in bytes."
        )
        numbers = (shown("loss, modified − traditional", loss, "nats", 1), Number("file", spent, "bytes", digits=1))
        yield Finding(data, side(loss.interval, wanted_above=not less), why, numbers)


def modified_gains_at_equal_bytes(results: Results) -> Iterator[Finding]:
    """Whether the modified β-VAE is better than what the traditional one has at other β: it is the same curve."""
    why = (
        "The paper's objective is distortion + β · KL, the β-VAE's. At β = 1 it is the traditional VAE, so that a "
        "choice of β by distortion + KL, which β = 1 minimises, can only choose the traditional VAE again."
    )
    for data in DATA:
        runs = [run for run in results.of(data) if run.family in ONE_OBJECTIVE]
        same = len(runs) - len(different_runs(runs))
        yield Finding(
            data, Verdict.NOT_TESTABLE, why, (Number("trainings that stand under two names", same, digits=0),)
        )


def mean_latent_peaks(results: Results) -> Iterator[Finding]:
    """Figure 8 in the reading that every training has: mean of |μ|."""
    for data in DATA:
        tuned = [run for run in one_curve(results, data) if run.family == "modified-beta-vae" or run.beta == 1]
        left_out = unfinished(one_curve(results, data))
        used = [run for run in tuned if run not in left_out]
        if len({run.beta for run in used}) < 3:
            yield Finding(data, Verdict.NOT_DECIDED, "too few β")
            continue
        top = max(used, key=lambda run: run.mean_absolute_latent)
        found = rank_correlation([run.beta for run in used], [run.mean_absolute_latent for run in used])
        numbers = [Number("β with the largest mean of |μ|", top.beta, digits=3)]
        numbers += [shown("Spearman's ρ, β and mean of |μ|", found)] if found else []
        falls = found is not None and found.interval.high < 0
        verdict = Verdict.CONTRADICTED if falls and top.beta < OPTIMUM[0] else Verdict.NOT_DECIDED
        why = "The paper does not say which mean. In this reading, mean of |μ|, it falls as β rises."
        if verdict is Verdict.NOT_DECIDED:
            why = "In this reading, mean of |μ|, the β below 0.1 that could show a rise were not trained to their end."
        yield Finding(data, verdict, why, tuple(numbers))


def blur_goes(results: Results) -> Iterator[Finding]:
    """Gradient energy of reconstructions: the modified β-VAE's less the traditional one's, and at equal bytes."""
    for data in DATA:
        first, second = modified_against_vae(results, data)
        noise = seed_noise(results.of(data), lambda run: run.gradient_energy)
        if not first or not second or noise is None:
            yield Finding(data, Verdict.NOT_DECIDED, "no two different trainings with seeds to compare")
            continue
        sharper = difference(first, second, lambda run: run.gradient_energy, noise)
        numbers = (
            shown("gradient energy to the original's, modified − traditional", sharper),
            Number("of the modified β-VAE", fmean(run.gradient_energy for run in first)),
        )
        why = f"β = {first[0].beta:g} spends more bytes on the same curve; both stay smoother than the originals (1)."
        yield Finding(data, side(sharper.interval, wanted_above=True), why, numbers)


def losses_flatten(results: Results) -> Iterator[Finding]:
    """Figure 6: whether the validation loss falls fast, then slowly, and how far from its end the training stopped."""
    for data in DATA:
        kept = [run for family in ("vae", "modified-beta-vae") for run in most_seeded(results.of(data), family)]
        shares, lasts = [], []
        for run in kept:
            loss = [p.validation_distortion_nats + run.beta * p.validation_rate_nats for p in run.curves]
            if len(loss) > 2 and loss[0] > loss[-1]:
                middle = loss[len(loss) // 2]
                shares.append((loss[0] - middle) / (loss[0] - loss[-1]))
                lasts.append(100 * (1 - loss[-1] / loss[-2]))
        if not shares:
            yield Finding(data, Verdict.NOT_DECIDED, "no curves")
            continue
        early = Interval(min(shares), max(shares))
        numbers = (
            Number("share of the fall in the first half of the training", fmean(shares), "", early),
            Number("fall in the last tenth", fmean(lasts), "%", Interval(min(lasts), max(lasts)), 1),
        )
        why = "Range over seeds. A shape says that training worked, not that it was finished."
        yield Finding(data, side(early, wanted_above=True, of=0.5), why, numbers)


def tuning_matters(results: Results) -> Iterator[Finding]:
    """How far β moves rate and loss, and how far any β moves a model off the curve."""
    for data in DATA:
        points = one_curve(results, data)
        curve = EqualBytes(points, lambda run: run.psnr_db)
        if len(points) < 3 or curve.noise is None:
            yield Finding(data, Verdict.NOT_DECIDED, "too few β")
            continue
        psnr, spent = [run.psnr_db for run in points], [run.file_bytes for run in points]
        numbers = (
            Number("PSNR over all β", max(psnr) - min(psnr), "dB"),
            Number("file over all β", max(spent) - min(spent), "bytes", digits=1),
            Number("deviation of a seed from the curve", curve.noise.deviation, "dB"),
        )
        why = "β chooses the point on the rate-distortion curve; which point is best is for the user's purpose to say."
        yield Finding(data, Verdict.CONFIRMED, why, numbers)


CLAIMS = (
    Claim(
        "beta-fidelity",
        "sections 2, 5.2",
        "A larger β makes reconstructions worse.",
        lambda results: list(fidelity_falls(results)),
    ),
    Claim(
        "modified-higher-loss",
        "section 5.3, section 6",
        "The modified β-VAE reconstructs worse than the traditional VAE.",
        lambda results: list(modified_loses(results, less=False)),
    ),
    Claim(
        "modified-lower-loss",
        "Table 1",
        "The modified β-VAE excels in reconstruction, with a lower loss than the traditional VAE. (Section 5.3 says "
        "the opposite.)",
        lambda results: list(modified_loses(results, less=True)),
    ),
    Claim(
        "modified-better-system",
        "abstract, Table 1",
        "The modified β-VAE is another, better system than the traditional VAE.",
        lambda results: list(modified_gains_at_equal_bytes(results)),
    ),
    Claim(
        "blur",
        "sections 1, 4",
        "The modified β-VAE's reconstructions are less blurred.",
        lambda results: list(blur_goes(results)),
    ),
    Claim(
        "tuning",
        "abstract, sections 1, 5.3",
        "β must be tuned: it trades reconstruction for a simpler latent space.",
        lambda results: list(tuning_matters(results)),
    ),
    Claim(
        "mean-latent",
        "section 5.3, figure 8",
        "The mean latent rises with β up to 0.1 … 1 and falls beyond.",
        lambda results: list(mean_latent_peaks(results)),
    ),
    Claim(
        "mean-is-dispersion",
        "section 5.3",
        "A larger mean of the latents says that they are more dispersed.",
        untestable("A definition, and not of a mean: it holds for mean of |μ| and not for mean of μ (figure 8)."),
    ),
    Claim(
        "loss-shape",
        "section 5.3, figure 6",
        "The loss falls like a decaying exponential: fast first, then slowly.",
        lambda results: list(losses_flatten(results)),
    ),
)
