"""The report's tables, made from stored results.

runs ──settings, seeds together──> rates and bounds        models ──metrics──> values, intervals, null, verdict
"""

from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from typing import Any

from vaecodec.evaluation.disentanglement.records import Interval, Measurement
from vaecodec.evaluation.report.claim import Number
from vaecodec.evaluation.report.content import Cell, Table
from vaecodec.evaluation.results.noise import EqualBytes, by_setting
from vaecodec.evaluation.results.stored import CodedModel, Results, TrainedRun

RATES: tuple[tuple[str, int, Callable[[TrainedRun], float]], ...] = (
    ("file, bytes", 1, lambda run: run.file_bytes),
    ("PSNR, dB", 2, lambda run: run.psnr_db),
    ("MS-SSIM", 4, lambda run: run.ms_ssim),
    ("reconstruction, nats", 1, lambda run: run.reconstruction_nats),
    ("KL, nats", 1, lambda run: run.kl_nats),
    ("−ELBO, nats", 1, lambda run: run.bound_nats),
    ("mean of |μ|", 3, lambda run: run.mean_absolute_latent),
    ("gradient energy", 2, lambda run: run.gradient_energy),
)


def rates(results: Results, data: str) -> Table:
    """A row a setting; where there are seeds, from the smallest to the largest beside the mean."""
    runs = results.of(data)
    curve = EqualBytes(runs, lambda run: run.psnr_db)
    rows = []
    for (family, setting), part in by_setting(runs).items():
        gap = curve.estimate(part)
        beside = None if gap is None else Number("gap", gap.value, "", gap.interval, 2)
        rows.append(
            (
                family,
                "" if setting == family else setting,
                Number("β", part[0].beta, digits=3),
                Number("seeds", len(part), digits=0),
                *(_over_seeds(name, part, value, digits) for name, digits, value in RATES),
                beside,
            )
        )
    return Table(
        f"rates-{data}",
        f"Every setting on {data}: files over the whole test set",
        ("family", "setting", "β", "seeds", *(name for name, _, _ in RATES), "dB beside the β-VAE at the same bytes"),
        tuple(rows),
        "In brackets: smallest and largest over the seeds; in the last column 95 % by what seeds make of a run.",
    )


def _over_seeds(name: str, runs: Sequence[TrainedRun], value: Callable[[TrainedRun], float], digits: int) -> Number:
    values = [value(run) for run in runs]
    reach = Interval(min(values), max(values)) if len(values) > 1 else None
    return Number(name, fmean(values), "", reach, digits)


def noise(results: Results, data: str) -> Table:
    """What seeds make of each number: deviations of the settings that have several."""
    rows: list[tuple[Cell, ...]] = []
    for (family, setting), part in by_setting(results.of(data)).items():
        if len(part) > 1:
            deviations = (Number(name, stdev(map(value, part)), "", None, digits + 1) for name, digits, value in RATES)
            rows.append((family, setting, Number("seeds", len(part), digits=0), *deviations))
    return Table(
        f"noise-{data}",
        f"Standard deviation between seeds on {data}",
        ("family", "setting", "seeds", *(name for name, _, _ in RATES)),
        tuple(rows),
    )


def metrics(results: Results, data: str, *, of_symbols: bool = False) -> Table:
    """A row a metric's value; a column a model: value, interval, and whether it exceeds the model's own rotations."""
    models = results.coded(data)
    ceilings = results.ceilings[data]["symbols" if of_symbols else "floats"]
    rows = []
    for metric, said in ceilings.items():
        measured = [(model, (model.symbols if of_symbols else model.means).get(metric)) for model in models]
        for value in Measurement.from_dict(said).values:
            cells: list[Cell] = [value.name, metric, Number("ceiling", value.value, value.unit, None, 3)]
            for model, found in measured:
                cells += _value(model, metric, value.name, found, of_symbols)
            rows.append(tuple(cells))
    columns = [column for model in models for column in (model.name, "null")]
    kind = "symbols" if of_symbols else "means"
    return Table(
        f"metrics-{kind}-{data}",
        f"Metrics of the {kind} on {data}",
        ("value", "metric", "true factors", *columns),
        tuple(rows),
        "In brackets 95 % by bootstrap over images of one model. Null: whether the interval lies above all of ten "
        "random rotations of the same latents, below them, or meets them (not decided).",
    )


def _value(model: CodedModel, metric: str, name: str, found: Measurement | None, of_symbols: bool) -> tuple[Cell, Cell]:
    if found is None or name not in {value.name for value in found.values}:
        return None, None
    value = found[name]
    if of_symbols:
        verdict = next(said["against_null"] for said in model.stored["symbols"] if said["metric"] == metric).get(name)
    else:
        verdict = model.verdicts[metric].get(name)
    return Number(name, value.value, value.unit, value.interval, 3), verdict or "no null"


def entanglement(results: Results, data: str) -> Table:
    """Bits of the symbols one by one, of all together, and what a joint prior saved in real bytes."""
    prices = {price.name: price for price in results.prices if price.data == data}
    rows = []
    for model in results.coded(data):
        price, bits = prices.get(model.name), model.entangled_bits
        saved: list[Cell] = [None, None, None]
        if price is not None:
            numbers = (price.alone_bytes, price.joint_bytes, price.saved_bytes)
            saved = [Number("payload", number, "", None, 2) for number in numbers]
        rows.append(
            (
                model.name,
                Number("latents", model.latents, digits=0),
                Number("ΣH", model.marginal_bits, "", None, 1),
                Number("entanglement", bits.low, "", bits, 1),
                Number("minibatch", model.stored["entanglement"]["minibatch_bits"], "", None, 1),
                *saved,
            )
        )
    columns = ("latents", "ΣH, bits", "entangled at least, bits", "minibatch estimate, bits")
    bytes_ = ("payload alone, bytes", "payload jointly, bytes", "saved, bytes")
    return Table(
        f"entanglement-{data}",
        f"What entanglement costs on {data}",
        ("model", *columns, *bytes_),
        tuple(rows),
        "In brackets: both bounds. The true number lies between the larger of the lower bounds and the upper one. "
        "Payloads: real bytes of held-out images under a factorised prior and under one that knows the latents before.",
    )


def factor_bits(results: Results, model: CodedModel) -> Table:
    """Latents × factors: mutual information in bits, and the bits of each latent's symbol."""
    factors, rows = results.factors[model.data], []
    for j in sorted(range(model.latents), key=lambda j: -model.latent_bits[j]):
        about: list[Cell] = [Number(name, bits) for name, bits in zip(factors, model.mutual_bits[j], strict=True)]
        rows.append((f"{j}", Number("H", model.latent_bits[j]), *about))
    return Table(
        f"factor-bits-{model.name}".replace(", ", "-").replace(" ", "-"),
        f"Which bits each factor costs: {model.name}",
        ("latent", "bits of its symbol", *(f"about {name}" for name in factors)),
        tuple(rows),
    )


def pairs(results: Results, data: str) -> Table:
    """The paper's section 3.6: how often a linear classifier tells the shared factor from Δz."""
    rows = []
    for model in results.coded(data):
        if model.pairs is not None:
            values: list[Cell] = [Number(v.name, v.value, "", v.interval, 3) for v in model.pairs.values]
            rows.append((model.name, *values, Number("votes", model.pairs.n, digits=0)))
    return Table(
        f"pairs-{data}",
        f"Pairs that share one factor, on {data}: accuracy of a linear classifier of Δz",
        ("model", "the paper's Δz = ½ Σ |z₁ − z₂|", "Higgins' Δz = 1/L Σ |z₁ − z₂|", "votes"),
        tuple(rows),
        "The two differ by the factor L/2 alone. A rotated code is nearly as accurate: see the β-VAE score's null.",
    )


def settings(results: Results) -> Table:
    """What each training was made with: objective, network, optimiser, versions, commit."""
    rows = []
    for run in results.runs:
        config, provenance = run.stored["config"], run.stored["provenance"]
        rows.append(
            (
                run.name,
                _words(config["objective"]),
                _words(config["model"]),
                _words(config["optimiser"]),
                f"{run.stored['training_sha256'][:12]} / {run.stored['test_sha256'][:12]}",
                _words(run.stored["versions"]),
                f"{str(provenance['git_commit'])[:10]}{' and changes' if provenance['git_changes'] else ''}",
                provenance["time_utc"],
            )
        )
    heads = (
        "run",
        "objective",
        "network",
        "optimiser",
        "SHA-256 of training / test images",
        "versions",
        "commit",
        "time",
    )
    return Table("settings", "Settings, data and versions of every training", heads, tuple(rows))


def sources(results: Results) -> Table:
    """Of every other file of results: command, data, machine, versions."""
    rows = []
    for name, found in results.sources.items():
        if not name.startswith("families/"):
            provenance, data = found["provenance"], found.get("data", {})
            machine = provenance.get("machine", {})
            rows.append(
                (
                    name,
                    provenance["command"],
                    str(data.get("source", "")),
                    f"{data.get('pixels_sha256', '')[:12]}",
                    _words({key: value for key, value in machine.items() if value}),
                    _words(provenance.get("versions", {})),
                    f"{str(provenance['git_commit'])[:10]}{' and changes' if provenance['git_changes'] else ''}",
                    provenance["time_utc"],
                )
            )
    heads = ("file", "command", "images", "their SHA-256", "machine", "versions", "commit", "time")
    return Table("sources", "Where the other numbers are from", heads, tuple(rows))


def _words(values: Any) -> str:
    """A record in words, what is 0 or empty left out."""
    kept = {key: value for key, value in values.items() if value not in (0, 0.0, "", [], None)}
    return ", ".join(f"{key.replace('_', ' ')} {_word(value)}" for key, value in kept.items())


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "·".join(str(part) for part in value) if isinstance(value, list) else str(value)
