"""Figure 3 of the paper: images as points in the plane, coloured by their label, with two numbers that can be compared.

means (n, d) ──t-SNE──> points (n, 2), one series a label            (d ≤ 2: the means themselves)
             ──5 nearest neighbours, held out──> accuracy            ──k-means──> NMI with the labels

The picture is no measure: t-SNE makes islands of anything (Wattenberg et al. 2016). The numbers are of the means, and
stand beside those of as many principal components of the pixels, which know nothing of a VAE.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaecodec.errors import ConfigError
from vaecodec.evaluation.figures.chart import Chart, Panel, Series
from vaecodec.evaluation.figures.subject import Sources, Subject, spread

POINTS = 1_000  # in the plane
NEIGHBOURS = 5
PERPLEXITY = 30.0
SEED = 0
HELD_OUT = 5  # every fifth image is judged by the others


@dataclass(frozen=True, slots=True)
class Clustering:
    """Of one model's means, or of something beside them. n: images; both numbers are shares."""

    name: str
    n: int
    dimensions: int
    neighbour_accuracy: float
    k_means_nmi: float


def clusters(sources: Sources) -> Chart:
    """A panel a subject; the label is the first factor."""
    panels = []
    for subject in sources.need_subjects():
        labels = labels_of(subject)
        measured = clustering(subject.name, subject.codes.means, labels)
        chosen = spread(len(labels), POINTS)
        points = in_the_plane(subject.codes.means[chosen])
        title = (
            f"{measured.name}\n5-NN accuracy {measured.neighbour_accuracy:.3f}, "
            f"k-means NMI {measured.k_means_nmi:.3f}, n {measured.n:,}"
        )
        axes = ("t-SNE 1", "t-SNE 2") if subject.codes.means.shape[1] > 2 else ("latent 1", "latent 2")
        panels.append(Panel(title, *axes, tuple(_series(points, labels[chosen])), equal=True))
    flattened = any(subject.codes.means.shape[1] > 2 for subject in sources.need_subjects())
    note = "t-SNE makes islands of anything; the numbers are of all latents." if flattened else ""
    return Chart("Images in the latent space, by label", tuple(panels), note)


def labels_of(subject: Subject) -> NDArray[np.int64]:
    """(n,): the first factor. Raises ConfigError where there is none."""
    if subject.truth is None:
        raise ConfigError(f"{subject.name}: clusters need images with labels")
    return np.asarray(subject.truth.factors[:, 0])


def _series(points: NDArray[np.float64], labels: NDArray[np.int64]) -> Iterator[Series]:
    for number, label in enumerate(np.unique(labels)):
        x, y = points[labels == label].T.tolist()
        yield Series(str(label), tuple(x), tuple(y), line=False, colour=number)


def in_the_plane(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) by t-SNE (van der Maaten & Hinton 2008); the means as they are where they have two latents or one."""
    if means.shape[1] <= 2:
        return np.pad(means, ((0, 0), (0, 2 - means.shape[1])))
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # which scikit-learn brings

    made = TSNE(2, perplexity=min(PERPLEXITY, (len(means) - 1) / 3), init="pca", random_state=SEED, n_jobs=1)
    with threadpool_limits(1):  # on a busy machine its threads would wait for each other, busily, for minutes
        return np.asarray(made.fit_transform(means), dtype=np.float64)


def clustering(name: str, means: NDArray[np.float64], labels: NDArray[np.int64]) -> Clustering:
    """Numbers of means (n, d) and labels (n,)."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score
    from sklearn.neighbors import KNeighborsClassifier

    held = np.arange(len(labels)) % HELD_OUT == 0
    neighbours = KNeighborsClassifier(NEIGHBOURS).fit(means[~held], labels[~held])
    found = KMeans(len(np.unique(labels)), n_init=3, random_state=SEED).fit_predict(means)
    return Clustering(
        name=name,
        n=len(labels),
        dimensions=means.shape[1],
        neighbour_accuracy=float(neighbours.score(means[held], labels[held])),
        k_means_nmi=float(normalized_mutual_info_score(labels, found)),
    )


def clusterings(subjects: tuple[Subject, ...]) -> list[Clustering]:
    """Of each subject, and of as many principal components of the pixels as the first has latents."""
    found = [clustering(subject.name, subject.codes.means, labels_of(subject)) for subject in subjects]
    from sklearn.decomposition import PCA

    first = subjects[0]
    pixels = first.images.reshape(len(first.images), -1) / 255
    d = min(first.codes.means.shape[1], *pixels.shape)
    reduced = PCA(d, random_state=SEED).fit_transform(pixels)
    return [*found, clustering(f"PCA of the pixels, {d} components", reduced, labels_of(first))]
