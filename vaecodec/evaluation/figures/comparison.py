"""Figure 7 of the paper: the traditional and the modified β-VAE side by side; and rate, distortion, disentanglement.

stored runs, metrics ──> PSNR against bytes, all seeds     metrics of axes, with intervals and the rotation null
"""

from collections.abc import Iterator, Sequence

from vaecodec.errors import ConfigError
from vaecodec.evaluation.figures.chart import Chart, Panel, Series
from vaecodec.evaluation.figures.subject import Sources
from vaecodec.evaluation.results.noise import LEAST_RUNS, ONE_OBJECTIVE, different_runs, rank_correlation
from vaecodec.evaluation.results.stored import DATA, CodedModel, Results, TrainedRun

COMPARED = ("vae", "modified-beta-vae")
METRICS = (("mig", "MIG"), ("dci-classifier", "DCI D"), ("sap", "SAP"), ("infomec", "InfoM"), ("med", "MED"))
RATE_AXES = ("bytes a file", "PSNR from the mean MSE, dB")


def side_by_side(sources: Sources) -> Chart:
    """Rate and distortion of every seed, metrics of the kept models. Raises ConfigError where no training is stored."""
    results = sources.need_results()
    panels: list[Panel] = []
    for data in DATA:
        runs = [run for run in results.of(data) if run.family in COMPARED]
        if runs:
            panels.append(_rates(data, runs))
        models = [model for family in COMPARED for model in results.coded(data) if model.family == family]
        if models:
            panels.append(_metrics(data, models))
    if not panels:
        raise ConfigError(f"no training of {' or '.join(COMPARED)} is stored")
    note = (
        "modified-beta-vae at all its β is the β-VAE's curve; vae is the point β = 1 of it. Bars: 95 % of a bootstrap "
        "over images of one model, not over seeds. Grey: the largest of ten rotations of the same latents."
    )
    return Chart("Traditional and modified β-VAE", tuple(panels), note)


def _rates(data: str, runs: Sequence[TrainedRun]) -> Panel:
    series = []
    for number, family in enumerate(COMPARED):
        own = sorted((run for run in runs if run.family == family), key=lambda run: run.file_bytes)
        labels = tuple(f"β {run.beta:g}" for run in own) if family != "vae" else ()
        x, y = tuple(run.file_bytes for run in own), tuple(run.psnr_db for run in own)
        series.append(Series(family, x, y, labels=labels, line=False, colour=number))
    return Panel(f"{data}: files", *RATE_AXES, tuple(series))


def _metrics(data: str, models: Sequence[CodedModel]) -> Panel:
    series = []
    ticks = tuple(name for metric, name in METRICS if all(metric in model.means for model in models))
    for number, model in enumerate(models):
        values = [(name, model.value(metric, name), model.nulls.get(metric, {}).get(name)) for metric, name in METRICS]
        found = [(value, null) for name, value, null in values if value is not None and name in ticks]
        x = tuple(at + 0.2 * number for at in range(len(found)))
        reaches = [value.reach for value, _ in found]
        series.append(
            Series(
                model.family,
                x,
                tuple(value.value for value, _ in found),
                tuple(reach.low for reach in reaches),
                tuple(reach.high for reach in reaches),
                line=False,
                colour=number,
            )
        )
        highest = tuple(null.high if null is not None else 0.0 for _, null in found)
        series.append(Series(f"{model.family}: largest rotation", x, highest, line=False, colour=6))
    return Panel(f"{data}: does one latent say one thing?", "metric", "score", tuple(series), ticks=ticks)


def rate_distortion_disentanglement(sources: Sources) -> Chart:
    """Bytes against PSNR, a panel a metric, the measured models in its colours. Raises ConfigError without runs."""
    results = sources.need_results()
    panels: list[Panel] = []
    for data in DATA:
        if results.coded(data) and results.of(data):
            panels += [_coloured(results, data, metric, name) for metric, name in METRICS]
        elif results.of(data):
            panels.append(Panel(data, *RATE_AXES, tuple(_behind(results, data))))
    if not panels:
        raise ConfigError("no training is stored")
    note = (
        "Colour: the metric of the means, where it is measured, of one seed a model. ρ: Spearman's rank correlation of "
        f"metric and PSNR with its 95 % interval, from {LEAST_RUNS} models on."
    )
    return Chart("Rate, distortion, disentanglement", tuple(panels), note)


def _coloured(results: Results, data: str, metric: str, name: str) -> Panel:
    measured = {model.name: model.value(metric, name) for model in results.coded(data)}
    shown = [(run, value.value) for run in results.of(data) if (value := measured.get(run.name)) is not None]
    series, title = list(_behind(results, data)), f"{data}: {name}"
    if shown:
        x, y = _points([run for run, _ in shown])
        values = tuple(value for _, value in shown)
        names = tuple(f"{run.family}, β {run.beta:g}" for run, _ in shown)
        series.append(Series("measured", x, y, labels=names, values=values, line=False))
        found = rank_correlation(values, y)
        title += f", {len(shown)} models: too few for ρ"
        if found is not None:
            title = f"{data}: {name}, ρ {found.value:.2f} [{found.interval.low:.2f}, {found.interval.high:.2f}]"
    return Panel(title, *RATE_AXES, tuple(series), what_values=name)


def _behind(results: Results, data: str) -> Iterator[Series]:
    """All runs of a data set, each training once."""
    runs = different_runs(results.of(data))
    for name, colour, wanted in (("vae, β-VAE, tuned β: one objective", 5, True), ("other families", 6, False)):
        part = [run for run in runs if (run.family in ONE_OBJECTIVE) is wanted]
        yield Series(name, *_points(part), line=False, colour=colour)


def _points(runs: Sequence[TrainedRun]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(run.file_bytes for run in runs), tuple(run.psnr_db for run in runs)
