"""The figures there are. A new one is a function that makes a Chart, a Sheet or a Diagram, and its line here."""

from collections.abc import Callable
from dataclasses import dataclass

from vaecodec.errors import ConfigError
from vaecodec.evaluation.figures.chart import Chart
from vaecodec.evaluation.figures.clusters import clusters
from vaecodec.evaluation.figures.comparison import rate_distortion_disentanglement, side_by_side
from vaecodec.evaluation.figures.diagram import Diagram
from vaecodec.evaluation.figures.losses import losses
from vaecodec.evaluation.figures.mean_latent import mean_latent
from vaecodec.evaluation.figures.pairs import pairs
from vaecodec.evaluation.figures.reconstructions import reconstructions, worst
from vaecodec.evaluation.figures.samples import samples
from vaecodec.evaluation.figures.sheet import Sheet
from vaecodec.evaluation.figures.subject import Sources
from vaecodec.evaluation.figures.system import method, system
from vaecodec.evaluation.figures.traversals import interpolations, traversals

Drawn = Chart | Sheet | Diagram


@dataclass(frozen=True, slots=True)
class Figure:
    """paper: the figure or section of the paper that it is, "" for one of ours.

    stored: whether it is drawn from stored results, or else from a model and images.
    """

    name: str
    paper: str
    what: str
    make: Callable[[Sources], Drawn]
    stored: bool = False


FIGURES: tuple[Figure, ...] = (
    Figure("system", "figure 1", "the codec as a block diagram", system),
    Figure("method", "figure 2", "how a model is made and measured", method),
    Figure("clusters", "figure 3", "images in the latent space by label, with 5-NN accuracy and NMI", clusters),
    Figure("reconstructions", "figure 4", "originals and reconstructions, with bytes", reconstructions),
    Figure("traversals", "figure 5", "one latent at a time, with its bits and factor", traversals),
    Figure("losses", "figure 6", "training and validation loss", losses, stored=True),
    Figure("comparison", "figure 7", "traditional and modified β-VAE side by side", side_by_side, stored=True),
    Figure("mean-latent", "figure 8", "the mean of the latents against β", mean_latent, stored=True),
    Figure("disentanglement", "", "rate, distortion and disentanglement", rate_distortion_disentanglement, stored=True),
    Figure("pairs", "section 3.6", "pairs that share one factor, with Δz", pairs),
    Figure("samples", "", "draws from the prior", samples),
    Figure("interpolations", "", "paths between images", interpolations),
    Figure("worst", "", "the ten worst images", worst),
)


def find_figure(name: str) -> Figure:
    """The figure of that name. Raises ConfigError, which lists the names there are."""
    for figure in FIGURES:
        if figure.name == name:
            return figure
    raise ConfigError(f"no figure {name!r}: there are {', '.join(figure.name for figure in FIGURES)}")
