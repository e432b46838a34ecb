"""Figure 6 of the paper: training and validation loss of the traditional and of the modified β-VAE, step by step.

curves of stored runs ──> reconstruction and KL against steps, nats an image; a panel a data set
"""

from collections.abc import Iterator

from vaecodec.errors import ConfigError
from vaecodec.evaluation.figures.chart import Chart, Panel, Series
from vaecodec.evaluation.figures.subject import Sources
from vaecodec.evaluation.results.noise import most_seeded
from vaecodec.evaluation.results.stored import DATA, TrainedRun

FAMILIES = ("vae", "modified-beta-vae")  # each at the setting that has the most seeds, the first of them


def losses(sources: Sources) -> Chart:
    """Distortion + β · KL is what was minimised; distortion + KL, the bound, compares across β, so it is drawn.

    Raises ConfigError where nothing is stored.
    """
    results = sources.need_results()
    panels = []
    for data in DATA:
        runs = [run for family in FAMILIES for run in most_seeded(results.of(data), family)[:1]]
        series = tuple(one for number, run in enumerate(runs) for one in _series(run, number))
        if series:
            panels.append(Panel(data, "steps", "reconstruction + KL, nats an image", series))
    if not panels:
        raise ConfigError(f"no training of {' or '.join(FAMILIES)} is stored")
    note = (
        "Validation: the whole validation set. Training: one batch at each point, so it is noisy. At β = 0.3 the bound "
        "is not what training minimises; it is what compares with β = 1."
    )
    return Chart("Training and validation loss, traditional and modified β-VAE", tuple(panels), note)


def _series(run: TrainedRun, colour: int) -> Iterator[Series]:
    steps = tuple(float(point.step) for point in run.curves)
    train = tuple(point.train_distortion_nats + point.train_rate_nats for point in run.curves)
    held = tuple(point.validation_distortion_nats + point.validation_rate_nats for point in run.curves)
    name = f"{run.family}, β {run.beta:g}"
    yield Series(f"{name}: training", steps, train, dashed=True, colour=colour)
    yield Series(f"{name}: validation", steps, held, colour=colour)
