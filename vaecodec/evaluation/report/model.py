"""The report of one model on images whose factors nobody need know: rate, distortion, what its latents hold.

levels of the model ──images──> bits and PSNR      symbols ──> bits of each latent, entanglement from both sides
"""

from collections.abc import Callable, Iterator

import numpy as np

from vaecodec.codec.quality import mse_of_each, psnr_db_from_mse
from vaecodec.errors import ConfigError
from vaecodec.evaluation.disentanglement.active import active
from vaecodec.evaluation.disentanglement.entanglement import entanglement
from vaecodec.evaluation.figures.chart import Chart, Panel, Series
from vaecodec.evaluation.figures.registry import FIGURES
from vaecodec.evaluation.figures.subject import Sources, Subject, spread
from vaecodec.evaluation.report.claim import Number
from vaecodec.evaluation.report.content import Cell, Report, Section, Shown, Table
from vaecodec.evaluation.report.made import made

MOST_LEVELS, LEVEL_IMAGES = 9, 256
MOST_LATENTS = 20  # of entanglement: a forest for each takes too long for more
LEAST_IMAGES, LEAST_FOR_ENTANGLEMENT = 50, 250  # for quantiles; for a joint model of symbols
NEED_FACTORS = ("clusters", "pairs")

Say = Callable[[str], None]


def model_report(subject: Subject, *, say: Say = lambda line: None) -> Report:
    """Everything that needs no factors. Raises ConfigError for too few images."""
    if len(subject.images) < LEAST_IMAGES:
        raise ConfigError(f"a report needs {LEAST_IMAGES} images or more, found {len(subject.images)}")
    missing = [] if subject.truth is not None else ["the images' factors are not known: no metric of disentanglement"]
    say("rate and distortion")
    sections = [_rates(subject)]
    say("latents")
    sections.append(_latents(subject))
    missing += _why_no_entanglement(subject)
    say("pictures")
    sources, figures = Sources(None, (subject,)), []
    for figure in FIGURES:
        if not figure.stored and (figure.name not in NEED_FACTORS or subject.truth is not None):
            figures.append(Shown(figure.name, figure.paper, figure.make(sources), animated=figure.name == "traversals"))
    sections.append(Section("pictures", "Pictures", figures=tuple(figures)))
    sections.append(Section("provenance", "Settings, data, versions", tables=(_about(subject),)))
    return Report(f"{subject.name} on {subject.data or 'images'}", made(), tuple(sections), tuple(missing))


def _rates(subject: Subject) -> Section:
    codec, rows = subject.codec, []
    images = subject.images[spread(len(subject.images), LEVEL_IMAGES)]
    for level in spread(len(codec.model.levels), MOST_LEVELS).tolist():
        symbols = codec.lossy.analyse(images, level)
        payloads = codec.lossy.encode_payloads(symbols, level)
        mse = float(mse_of_each(codec.lossy.synthesise(symbols, level), images).mean())
        bits = float(codec.lossy.information_bits(symbols, level).mean())
        rows.append((level, codec.model.levels[level].beta, bits, float(np.mean([len(p) for p in payloads])), mse))
    cells: list[tuple[Cell, ...]] = [
        (
            Number("level", level, digits=0),
            Number("β", beta, digits=3),
            Number("information", bits, digits=1),
            Number("payload", payload, digits=2),
            Number("PSNR", psnr_db_from_mse(mse), digits=2) if mse else "exact",
        )
        for level, beta, bits, payload, mse in rows
    ]
    columns = ("level", "β", "information content, bits", "payload, bytes", "PSNR from the mean MSE, dB")
    note = f"Of {len(images):,} images evenly spaced over the set; lossy levels alone, without the container's 7 bytes."
    table = Table("levels", "Levels of the model", columns, tuple(cells), note)
    drawn = [row for row in rows if row[4]]
    x, y = tuple(row[3] for row in drawn), tuple(psnr_db_from_mse(row[4]) for row in drawn)
    series = Series(subject.name, x, y, labels=tuple(f"β {row[1]:.3g}" for row in drawn))
    chart = Chart("Rate and distortion", (Panel("", "payload, bytes", "PSNR, dB", (series,)),))
    return Section("rates", "Rate and distortion", tables=(table,), figures=(Shown("levels", "", chart),))


def _latents(subject: Subject) -> Section:
    codes = subject.codes
    bits, share = codes.bits.mean(axis=0), active(codes.means)
    rows = tuple(
        (
            f"{codes.coded[j]}",
            Number("bits", float(bits[j]), digits=2),
            Number("step", float(codes.steps[j]), digits=3),
            Number("mean", float(codes.means[:, j].mean()), digits=3),
            Number("deviation", float(codes.means[:, j].std()), digits=3),
            "yes" if share[j] else "no",
        )
        for j in subject.by_bits()
    )
    columns = ("latent", "bits, −log₂ P", "step", "mean of μ", "deviation of μ", "active")
    note = f"Level {subject.level}, {len(subject.images):,} images; active: variance of μ above 0.01."
    tables = [Table("latents", "The coded latents, by their bits", columns, rows, note)]
    if not _why_no_entanglement(subject):
        tables.append(Table("entanglement", "What entanglement costs", ("", "bits"), tuple(_entangled(subject))))
    return Section("latents", "Latents", tables=tuple(tables))


def _why_no_entanglement(subject: Subject) -> list[str]:
    """A line where it cannot be told, else none."""
    images, coded = len(subject.images), len(subject.codes.coded)
    if images >= LEAST_FOR_ENTANGLEMENT and coded <= MOST_LATENTS:
        return []
    return [
        f"entanglement: {images} images and {coded} coded latents, of {LEAST_FOR_ENTANGLEMENT} images at least and "
        f"{MOST_LATENTS} latents at most"
    ]


def _entangled(subject: Subject) -> Iterator[tuple[Cell, ...]]:
    found = entanglement(subject.codes.symbols, rng=np.random.default_rng(0))
    yield "ΣH of the symbols, one by one", Number("ΣH", found.marginals.value, digits=1)
    yield "entanglement, at least (joint model on held-out images)", Number("at least", found.bounds.low, digits=1)
    yield "entanglement, at most (collisions, 95 %)", Number("at most", found.bounds.high, digits=1)


def _about(subject: Subject) -> Table:
    model = subject.codec.model
    rows: list[tuple[Cell, ...]] = [
        ("model", model.name),
        ("family", model.family),
        ("fingerprint", model.fingerprint.hex()),
        ("images", f"{subject.data}, {len(subject.images):,}"),
    ]
    for part in ("data", "versions"):
        rows += [(f"training {part}: {key}", str(value)) for key, value in model.about.get(part, {}).items()]
    config = model.about.get("config", {})
    for part in ("model", "objective", "optimiser"):
        rows += [(f"{part}: {key}", str(value)) for key, value in config.get(part, {}).items()]
    return Table("about", "What the model file tells", ("", "value"), tuple(rows))
