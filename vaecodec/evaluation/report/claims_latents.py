"""What the paper says of disentanglement; judged by metrics with intervals, their rotation null, and bits."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from vaecodec.evaluation.disentanglement.records import Interval, Value
from vaecodec.evaluation.disentanglement.verdict import Verdict as Side
from vaecodec.evaluation.disentanglement.verdict import between
from vaecodec.evaluation.report.claim import Claim, Finding, Number, Verdict, untestable
from vaecodec.evaluation.results.noise import rank_correlation
from vaecodec.evaluation.results.stored import DATA, CodedModel, Results

# Whether one latent says one thing: (metric, value). Informativeness, explicitness and size are other questions.
OF_AXES = (
    ("mig", "MIG"),
    ("dci-classifier", "DCI D"),
    ("dci-regressor", "DCI D"),
    ("sap", "SAP"),
    ("factor-vae", "FactorVAE score"),
    ("beta-vae", "β-VAE score"),
    ("infomec", "InfoM"),
    ("med", "MED"),
    ("modularity", "modularity"),
)
MOST = 0.75  # of the metrics that decide must agree
CLUSTERS = (
    "Measured where the images are (the table of clusters), beside principal components of the pixels, of one seed: "
    "there is no interval."
)
SEPARATE = 0.5  # of DCI's disentanglement, 1 where each latent follows one factor


def measured(results: Results, data: str, family: str) -> list[CodedModel]:
    """A family's measured models of one setting: the one that has the most of them, which are its seeds."""
    settings = {run.name: run.setting for run in results.of(data)}
    found: dict[str, list[CodedModel]] = {}
    for model in results.coded(data):
        if model.family == family:
            found.setdefault(settings.get(model.name, model.name), []).append(model)
    return max(found.values(), key=len) if found else []


def over_seeds(models: Sequence[CodedModel], metric: str, name: str) -> Value | None:
    """Their mean, from the lowest to the highest end of their intervals; None where one of them has no such value."""
    values = [value for model in models if (value := model.value(metric, name)) is not None]
    if not values or len(values) < len(models):
        return None
    low, high = min(value.reach.low for value in values), max(value.reach.high for value in values)
    return Value(name, fmean(value.value for value in values), Interval(low, high))


def label(metric: str, name: str) -> str:
    """A value's name; DCI has two predictors."""
    return f"{name}, regressed" if metric == "dci-regressor" else name


def compared(first: Sequence[CodedModel], second: Sequence[CodedModel]) -> tuple[int, int, int, tuple[Number, ...]]:
    """How many metrics have the first above the second, below it, undecided; and the values of both."""
    sides, numbers = [], []
    for metric, name in OF_AXES:
        a, b = over_seeds(first, metric, name), over_seeds(second, metric, name)
        if a is None or b is None:
            continue
        sides.append(between(a, b))
        numbers += [
            Number(f"{label(metric, name)}: {models[0].family}", value.value, "", value.interval, 3)
            for models, value in ((first, a), (second, b))
        ]
    counts = tuple(sides.count(side) for side in (Side.ABOVE, Side.BELOW, Side.NOT_DECIDED))
    return counts[0], counts[1], counts[2], tuple(numbers)


def disentangles_better(results: Results, family: str) -> Iterator[Finding]:
    """A family's metrics of axes beside vae's."""
    for data in DATA:
        first, second = measured(results, data, family), measured(results, data, "vae")
        if not first or not second:
            yield Finding(data, Verdict.NOT_DECIDED, f"{family}'s latents or vae's are not measured yet")
            continue
        above, below, open_, numbers = compared(first, second)
        decided = above + below
        verdict = Verdict.NOT_DECIDED
        if decided > open_ and max(above, below) >= MOST * decided:
            verdict = Verdict.CONFIRMED if above > below else Verdict.CONTRADICTED
        why = (
            f"{first[0].name} against {second[0].name}, {len(first)} and {len(second)} seeds: intervals of {above} "
            f"metrics lie above, of {below} below, of {open_} meet. Decided where most metrics decide and three "
            "quarters of these agree."
        )
        yield Finding(data, verdict, why, numbers)


def is_entangled(results: Results) -> Iterator[Finding]:
    """vae's latents: bits of entanglement, and whether its axes can be told from rotations of themselves."""
    for data in DATA:
        models = measured(results, data, "vae")
        if not models:
            yield Finding(data, Verdict.NOT_DECIDED, "vae's latents are not measured yet")
            continue
        told = [
            model.verdicts[metric].get(name) == "above"
            for model in models
            for metric, name in OF_AXES
            if metric in model.verdicts
        ]
        ends = [model.entangled_bits for model in models]
        bits = Interval(min(end.low for end in ends), max(end.high for end in ends))
        numbers = (
            Number("entanglement, at least", bits.low, "bits", bits, 1),
            Number("of all bits of the latents", fmean(model.marginal_bits for model in models), "bits", digits=1),
            Number("metrics that tell its axes from ten random rotations", sum(told), f"of {len(told)}", digits=0),
        )
        entangled = bits.low > 0 and sum(told) < len(told) / 2
        why = "Coding its latents one by one repeats what they share; its axes are hardly better than any others."
        verdict = Verdict.CONFIRMED if entangled else Verdict.CONTRADICTED if bits.high <= 0 else Verdict.NOT_DECIDED
        yield Finding(data, verdict, why, numbers)


def one_source_each(results: Results) -> Iterator[Finding]:
    """The modified β-VAE: DCI's disentanglement, which is 1 where each latent follows one factor."""
    for data in DATA:
        models = measured(results, data, "modified-beta-vae")
        found = [(name, over_seeds(models, *name)) for name in OF_AXES[:3]]
        values = [(label(*name), value) for name, value in found if value is not None]
        if not values:
            yield Finding(data, Verdict.NOT_DECIDED, "the modified β-VAE's latents are not measured yet")
            continue
        numbers = tuple(Number(name, value.value, "", value.interval, 3) for name, value in values)
        reached = [value.reach for name, value in values if name.startswith("DCI")]
        verdict = Verdict.NOT_DECIDED
        if all(reach.high < SEPARATE for reach in reached):
            verdict = Verdict.CONTRADICTED
        elif all(reach.low > SEPARATE for reach in reached):
            verdict = Verdict.CONFIRMED
        yield Finding(data, verdict, "True factors score 1 on DCI, and .90 on MIG with 20 bins.", numbers)


def disentanglement_costs(results: Results) -> Iterator[Finding]:
    """Rank correlation of MIG and PSNR over models whose both are there."""
    for data in DATA:
        runs = {run.name: run for run in results.of(data)}
        pairs = [
            (value.value, runs[model.name].psnr_db)
            for model in results.coded(data)
            if model.name in runs and (value := model.value("mig", "MIG")) is not None
        ]
        found = rank_correlation(*zip(*pairs, strict=True)) if pairs else None
        if found is None:
            why = f"{len(pairs)} models have both a MIG and a PSNR: too few for an interval."
            yield Finding(data, Verdict.NOT_DECIDED, why)
            continue
        verdict = Verdict.NOT_DECIDED
        if found.interval.high < 0 or found.interval.low > 0:
            verdict = Verdict.CONFIRMED if found.interval.high < 0 else Verdict.CONTRADICTED
        number = Number("Spearman's ρ, MIG and PSNR", found.value, "", found.interval)
        yield Finding(data, verdict, f"Over {found.n} models of one seed each.", (number,))


def entanglement_costs_bytes(results: Results) -> Iterator[Finding]:
    """What a joint prior gets back of the payload."""
    for data in DATA:
        prices = [price for price in results.prices if price.data == data]
        bits = {model.name: model.entangled_bits for model in results.coded(data)}
        if not bits:
            yield Finding(data, Verdict.NOT_DECIDED, "no latents are measured yet")
            continue
        numbers = [Number(f"entanglement: {name}", found.low, "bits", found, 1) for name, found in bits.items()]
        numbers += [
            Number(f"saved by a joint prior: {price.name}", price.saved_bytes, "bytes a file") for price in prices
        ]
        costly = all(found.low > 0 for found in bits.values())
        why = "A factorised prior codes every latent by itself and pays for what they share: so many bits an image."
        yield Finding(data, Verdict.CONFIRMED if costly else Verdict.NOT_DECIDED, why, tuple(numbers))


CLAIMS = (
    Claim(
        "vae-entangled",
        "abstract, sections 1, 5.3",
        "The traditional VAE's latents are entangled.",
        lambda results: list(is_entangled(results)),
    ),
    Claim(
        "modified-disentangles",
        "abstract, sections 5.3, 6",
        "The modified β-VAE disentangles better than the traditional VAE.",
        lambda results: list(disentangles_better(results, "modified-beta-vae")),
    ),
    Claim(
        "higher-beta-disentangles",
        "sections 2, 5.2",
        "A larger β (4, the β-VAE) disentangles better than β = 1.",
        lambda results: list(disentangles_better(results, "beta-vae")),
    ),
    Claim(
        "hfvae-disentangles",
        "section 2, Table 1",
        "Structured disentangled representations (hfvae) disentangle better than the traditional VAE.",
        lambda results: list(disentangles_better(results, "hfvae")),
    ),
    Claim(
        "one-source-each",
        "section 6",
        "Each latent of the modified β-VAE stands for one separate source of variation.",
        lambda results: list(one_source_each(results)),
    ),
    Claim(
        "disentanglement-costs",
        "abstract, section 6",
        "Better disentanglement comes with worse reconstruction.",
        lambda results: list(disentanglement_costs(results)),
    ),
    Claim(
        "entanglement-costs",
        "abstract, section 1",
        "Entangled latents make compression less efficient.",
        lambda results: list(entanglement_costs_bytes(results)),
    ),
    Claim(
        "clusters",
        "section 5.1, figure 3",
        "The digits form clusters that are apart in the latent space.",
        lambda results: [Finding("mnist", Verdict.NOT_DECIDED, CLUSTERS)],
    ),
    Claim(
        "smooth-prior",
        "section 5.1",
        "Draws from the prior and points between two images decode to clear images, without gaps.",
        untestable("Shown (figures samples and interpolations), without a measure that could fail."),
    ),
    Claim(
        "interpretable",
        "abstract, section 6",
        "The latents are more interpretable to people.",
        untestable("Nobody was asked. The metrics of disentanglement stand in for it."),
    ),
)
