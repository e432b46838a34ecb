"""The report of the paper: its claims with verdicts, its figures, and every number behind them.

Results ──claims, tables, figures of results──┐
kept models and test images ──pictures────────┴──> Report
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.errors import ConfigError, DataError
from vaecodec.evaluation.disentanglement.truth import GroundTruth
from vaecodec.evaluation.figures.clusters import Clustering, clusterings
from vaecodec.evaluation.figures.registry import FIGURES, Figure, find_figure
from vaecodec.evaluation.figures.subject import MOST_IMAGES, Sources, Subject, spread, truth_of
from vaecodec.evaluation.report import tables
from vaecodec.evaluation.report.claim import Number
from vaecodec.evaluation.report.claims import judge_all
from vaecodec.evaluation.report.content import Report, Section, Shown, Table
from vaecodec.evaluation.report.made import made
from vaecodec.evaluation.results.stored import DATA, Results, TrainedRun

COMPARED = ("vae", "modified-beta-vae", "beta-vae")  # whose pictures stand beside each other
TRAVERSED = ("vae", "modified-beta-vae", "hfvae")
Say = Callable[[str], None]


def paper_report(results: Results, *, data_dir: Path | None = None, say: Say = lambda line: None) -> Report:
    """Everything that the folder and the data sets on this machine allow; what does not is listed as missing."""
    missing = list(results.missing)
    subjects: dict[str, list[Subject]] = {}
    for data in DATA:
        try:
            subjects[data] = kept_subjects(results, data, data_dir=data_dir)
        except DataError as error:
            missing.append(f"pictures of {data}: {error}")
    everyone = [subject for part in subjects.values() for subject in part]
    sections = [
        _claims(results),
        _stored_figures(Sources(results, everyone), missing),
        _rates(results),
        *(_latents(results, data) for data in DATA if results.coded(data)),
    ]
    for data, part in subjects.items():
        say(f"pictures of {data}")
        sections += [_pictures(data, part, in_a_plane(results, part[0]))] if part else []
    sections.append(_provenance(results))
    missing += [f"{data}: no run is stored" for data in DATA if not results.of(data)]
    missing += _gaps(results)
    return Report("The paper, measured", made(), tuple(sections), tuple(missing))


def kept_subjects(results: Results, data: str, *, data_dir: Path | None = None) -> list[Subject]:
    """The kept models of a data set's test images, evenly spaced; without nvae, whose latents depend on each other.

    Raises DatasetMissing, BadDataset.
    """
    kept = [run for run in results.kept(data) if run.family in {*COMPARED, *TRAVERSED}]
    if not kept:
        return []
    test = load_dataset(data, "test", data_dir=data_dir, download=False)
    rows = spread(len(test), MOST_IMAGES)
    truth = truth_of(test.labels[rows], test.label_names) if test.labels is not None else None
    return [_subject(results, run, test.images[rows], truth) for run in kept]


def in_a_plane(results: Results, like: Subject) -> list[Subject]:
    """The stored model of two latents with a subject's images, whose codes can be drawn as they are; [] without it."""
    path = results.folder / f"two-latents-{like.data}.vaem"
    return [replace(like, name=path.stem, codec=Codec.load(path))] if path.is_file() else []


def _subject(
    results: Results,
    run: TrainedRun,
    images: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]",
    truth: GroundTruth | None,
) -> Subject:
    path = results.model_path(run)
    assert path is not None
    return Subject(run.name, Codec.load(path), images, truth=truth, data=run.data)


def _claims(results: Results) -> Section:
    text = (
        "Every claim of the paper in our words, judged by what was measured here. Confirmed and contradicted need an "
        "interval that is clear of what it is compared with; where it is not clear, the claim is not decided; what no "
        "measurement here could decide is not testable.",
        "The trainings on dSprites are far from their end (docs/families.md), and most settings have one seed: the "
        "verdicts are about these trainings.",
    )
    return Section("claims", "What the paper says, and what was measured", text, claims=tuple(judge_all(results)))


def _stored_figures(sources: Sources, missing: list[str]) -> Section:
    figures = []
    for figure in FIGURES:
        if figure.stored:
            try:
                figures.append(Shown(figure.name, figure.paper, figure.make(sources)))
            except ConfigError as error:
                missing.append(f"figure {figure.name}: {error}")
    return Section("figures", "Loss, rate, distortion and the latents' mean", figures=tuple(figures))


def _rates(results: Results) -> Section:
    text = (
        "Rates and PSNR are of real files over whole test sets; nats are of the trained model on the same images. A "
        "run that stands under two names is shown under both.",
    )
    there = [data for data in DATA if results.of(data)]
    made_tables = [table(results, data) for data in there for table in (tables.rates, tables.noise)]
    return Section("rates", "Rate and distortion of every setting", text, tables=tuple(made_tables))


def _latents(results: Results, data: str) -> Section:
    text = (
        "Does one latent say one thing? Each metric stands beside its ceiling, the true factors as codes, and its "
        "null, ten random rotations of the same latents.",
    )
    made_tables = [
        tables.metrics(results, data),
        tables.metrics(results, data, of_symbols=True),
        tables.entanglement(results, data),
        tables.pairs(results, data),
        *(tables.factor_bits(results, model) for model in results.coded(data)),
    ]
    return Section(f"latents-{data}", f"Disentanglement and its price: {data}", text, tables=tuple(made_tables))


def _pictures(data: str, subjects: Sequence[Subject], plane: Sequence[Subject]) -> Section:
    """plane: a model of two latents, for figure 3."""
    by_family = {subject.codec.model.family: subject for subject in subjects}
    compared = [by_family[family] for family in COMPARED if family in by_family]
    traversed = [by_family[family] for family in TRAVERSED if family in by_family]
    figures = [_shown("reconstructions", data, compared)]
    figures += [_shown("traversals", data, [one], animated=True) for one in traversed]
    measured: tuple[Table, ...] = ()
    if data == "mnist":  # whose label is one factor of ten; a dSprites shape is one of five
        figures.append(_shown("clusters", data, [*compared, *plane]))
        measured = (cluster_table(data, clusterings((*compared, *plane))),)
    figures += [_shown(name, data, [one]) for name in ("samples", "interpolations", "worst") for one in compared[:2]]
    once = ("system", "method") if data == "mnist" else ("pairs",)
    figures += [_shown(name, data, compared[:1]) for name in once]
    return Section(f"pictures-{data}", f"Pictures: {data}", tables=measured, figures=tuple(figures))


def _shown(name: str, data: str, subjects: Sequence[Subject], *, animated: bool = False) -> Shown:
    figure: Figure = find_figure(name)
    key = f"{name}-{subjects[0].name if len(subjects) == 1 else data}"
    return Shown(key, figure.paper, figure.make(Sources(None, subjects)), animated)


def cluster_table(data: str, found: Sequence[Clustering]) -> Table:
    """Numbers beside figure 3."""
    rows = tuple(
        (
            one.name,
            Number("dimensions", one.dimensions, digits=0),
            Number("5-NN accuracy", one.neighbour_accuracy, digits=3),
            Number("NMI", one.k_means_nmi, digits=3),
            Number("images", one.n, digits=0),
        )
        for one in found
    )
    return Table(
        f"clusters-{data}",
        "Clusters in numbers",
        ("means of", "dimensions", "5-NN accuracy, every fifth image held out", "NMI of k-means and labels", "images"),
        rows,
        "What principal components of the pixels reach is no achievement of a VAE.",
    )


def _provenance(results: Results) -> Section:
    return Section(
        "provenance",
        "Settings, data, versions",
        tables=(tables.settings(results), tables.sources(results)),
    )


def _gaps(results: Results) -> Iterator[str]:
    """What the paper has and no folder of results holds yet."""
    if not (results.folder / "two-latents-mnist.vaem").is_file():
        yield "figure 3 by a model with two latents: none is stored"
    if all(run.mean_sigma is None for run in results.runs):
        yield "figure 8 by a mean of σ: no stored row has it"
    seeds = {(run.data, run.family) for run in results.runs if run.seed}
    for data in DATA:
        if (data, "hfvae") not in seeds and results.of(data):
            yield f"{data}: more than one seed of hfvae, decomposition, capacity, beta-vae-gan and nvae"
