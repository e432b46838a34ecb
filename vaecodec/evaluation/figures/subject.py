"""What figures are made from: stored results, and models with images. Subject is one model at one level, with images.

codec, level ─┐
images, truth ┴─> Subject ──streams──> files and reconstructions        ──codes──> means, symbols, bits
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vaecodec.codec.codec import Codec
from vaecodec.errors import ConfigError, ImageSizeError, ModelError
from vaecodec.evaluation.codes import Codes, codes_of
from vaecodec.evaluation.disentanglement.information import InformationTable, classes, information_table
from vaecodec.evaluation.disentanglement.truth import GroundTruth
from vaecodec.evaluation.results.stored import Results

MOST_IMAGES = 2_000  # of a figure: enough for bits, quantiles and clusters


@dataclass(frozen=True, eq=False)
class Subject:
    """images: uint8 (n, h, w), of the model's geometry. truth: their factors, None where nobody knows them.

    Raises ImageSizeError, ModelError for images and levels that are not the model's.
    """

    name: str
    codec: Codec
    images: NDArray[np.uint8]
    level: int = 0
    truth: GroundTruth | None = None
    data: str = ""

    def __post_init__(self) -> None:
        model = self.codec.model
        if self.images.shape[1:] != model.shape:
            raise ImageSizeError(f"{self.name}: made for images {model.shape}, found {self.images.shape[1:]}")
        if not 0 <= self.level < len(model.levels):
            raise ModelError(f"{self.name}: level {self.level}, there are {len(model.levels)}")

    @cached_property
    def codes(self) -> Codes:
        """Of all images."""
        return codes_of(self.codec, self.images, self.level)

    @cached_property
    def symbols(self) -> NDArray[np.int32]:
        """(n, latents), those too that are not coded."""
        return self.codec.lossy.analyse(self.images, self.level)

    @cached_property
    def information(self) -> InformationTable | None:
        """Bits of each coded latent about each factor; None without factors."""
        if self.truth is None:
            return None
        return information_table(classes(self.codes.symbols), self.truth.factors)

    def by_bits(self) -> NDArray[np.intp]:
        """The coded latents, by their mean bits, falling: places in the codes' columns."""
        return np.argsort(-self.codes.bits.mean(axis=0), kind="stable")

    def decoded(self, symbols: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Pixels of symbols (b, latents), as a decoder makes them."""
        return self.codec.lossy.synthesise(symbols, self.level)

    def compressed(self, rows: NDArray[np.intp]) -> tuple[list[int], NDArray[np.uint8]]:
        """Bytes of each image's file at the subject's level, and what it decodes to."""
        streams = self.codec.compress_batch(self.images[rows], level=self.level)
        return [len(stream) for stream in streams], np.stack(self.codec.decompress_batch(streams))


@dataclass(frozen=True, eq=False)
class Sources:
    """What there is to draw from."""

    results: Results | None = None
    subjects: Sequence[Subject] = field(default=())

    def need_results(self) -> Results:
        """Raises ConfigError without."""
        if self.results is None:
            raise ConfigError("this figure is drawn from stored results: name their folder")
        return self.results

    def need_subjects(self) -> Sequence[Subject]:
        """One at least. Raises ConfigError without."""
        if not self.subjects:
            raise ConfigError("this figure is drawn from a model and images: name both")
        return self.subjects


def spread(n: int, count: int) -> NDArray[np.intp]:
    """`count` places of n, evenly apart."""
    return np.unique(np.linspace(0, n - 1, min(count, n)).round().astype(np.intp))


def truth_of(labels: NDArray[np.int64], names: tuple[str, ...]) -> GroundTruth:
    """The factors behind labels (n,) or (n, k); all but the first are taken as scales."""
    columns = labels.reshape(len(labels), -1)
    return GroundTruth(columns, names, tuple(number > 0 for number in range(columns.shape[1])))
