"""Figure 8 of the paper: the mean of the latents against β, in the readings that the paper's words allow.

stored runs             ──> mean of |μ| at every β, and mean of σ where a row has it
kept models with images ──> mean of μ, mean of |μ|, deviation of μ, at the β whose models are kept

The paper calls "mean latent space values" an average and, in the same paragraph, a dispersion. A mean of μ is near 0 at
every β, because the KL pulls it there, so that the paper's rise and fall cannot be it; mean of |μ| and deviation of μ
say how far the latents spread. Model files hold no σ: its mean is in the rows of runs.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vaecodec.errors import ConfigError
from vaecodec.evaluation.figures.chart import Chart, Panel, Series
from vaecodec.evaluation.figures.subject import Sources, Subject
from vaecodec.evaluation.results.noise import ONE_OBJECTIVE, different_runs, unfinished
from vaecodec.evaluation.results.stored import DATA, Results


def mean_latent(sources: Sources) -> Chart:
    """A panel a data set; subjects of the families of one objective add the other readings. Raises ConfigError."""
    results = sources.need_results()
    panels = tuple(_panel(results, data, sources) for data in DATA if results.of(data))
    if not panels:
        raise ConfigError("no training is stored")
    note = (
        "Means over images and latents. Stored runs: all latents of the trained model; kept models: those that are "
        "coded. A mean of μ is near 0 at every β."
    )
    return Chart("Mean latent against β", panels, note)


def _panel(results: Results, data: str, sources: Sources) -> Panel:
    runs = [run for run in different_runs(results.of(data)) if run.family in ONE_OBJECTIVE]
    early = unfinished(runs)
    groups = [("mean of |μ|, stored runs", [run for run in runs if run not in early], 0)]
    if early:
        groups.append(("mean of |μ|, runs that stopped far from their end", early, 6))
    series = []
    for name, part, colour in groups:
        part = sorted(part, key=lambda run: run.beta)
        x, y = tuple(run.beta for run in part), tuple(run.mean_absolute_latent for run in part)
        series.append(Series(name, x, y, line=False, colour=colour))
    spread = sorted((run.beta, run.mean_sigma) for run in runs if run.mean_sigma is not None)
    if spread:
        x, y = zip(*spread, strict=True)
        series.append(Series("mean of σ, stored runs", x, y, line=False, colour=5))
    kept = [one for one in sources.subjects if one.data == data and one.codec.model.family in ONE_OBJECTIVE]
    kept.sort(key=_beta)
    if kept:
        betas = tuple(_beta(one) for one in kept)
        for number, (name, reading) in enumerate(READINGS.items(), start=1):
            values = tuple(reading(one.codes.means) for one in kept)
            series.append(Series(f"{name}, kept models", betas, values, line=len(betas) > 1, colour=number))
    return Panel(data, "β", "mean of the latents", tuple(series), log_x=True)


READINGS: dict[str, Callable[[NDArray[np.float64]], float]] = {
    "mean of μ": lambda means: float(means.mean()),
    "mean of |μ|": lambda means: float(np.abs(means).mean()),
    "deviation of μ": lambda means: float(means.std(axis=0).mean()),
}


def _beta(subject: Subject) -> float:
    return subject.codec.model.levels[subject.level].beta
