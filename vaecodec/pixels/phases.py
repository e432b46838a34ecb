"""Pixel phases: the order in which an image is predicted, written once; encoder, decoder and known answer drive it.

predict(symbols) ──yields logit indices of phase 0──> driver ──sends the pixels of phase 0──> predict
                 ──yields logit indices of phase 1──> driver ──sends …
                                (b, h/2, w/2, 1 or 1 + K)             (b, h/2, w/2)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels
from vaecodec.cores import map_on_cores, one_blas_thread
from vaecodec.entropy.decode_order import follow
from vaecodec.entropy.tables import TOTAL
from vaecodec.errors import LimitExceeded
from vaecodec.exact.known_answer import KnownAnswer
from vaecodec.exact.network import Engine, ExactNetwork
from vaecodec.limits import limits
from vaecodec.modelfile.lossless_part import PHASES, Int32, PixelLikelihood
from vaecodec.pixels.tables import Indices, counts_of_flags, counts_of_values

PHASE_BATCH = 16  # feature maps of so many images stay in a cache of some megabytes

Prediction = Generator[Indices, Pixels, None]


class Sliced(Protocol):
    """An array of numpy or torch."""

    def __getitem__(self, key: Any, /) -> Any: ...


A = TypeVar("A", bound=Sliced)


def split_phases(images: A) -> list[A]:
    """The pixels (b, h/2, w/2) of each phase of images (b, h, w), an array of numpy or torch."""
    return [images[:, row::2, column::2] for row, column in PHASES]


def join_phases(planes: list[Pixels]) -> Pixels:
    """The inverse of split_phases."""
    count, height, width = planes[0].shape
    images = np.empty((count, 2 * height, 2 * width), np.uint8)
    for (row, column), plane in zip(PHASES, planes, strict=True):
        images[:, row::2, column::2] = plane
    return images


def in_batches(network: ExactNetwork, x: Int32) -> npt.NDArray[np.float32]:
    """The network's result for inputs (b, m), some at a time on every core: the same as all at once."""
    return np.concatenate(map_on_cores(network, [x[k : k + PHASE_BATCH] for k in range(0, len(x), PHASE_BATCH)]))


def rows_at_once(likelihood: PixelLikelihood) -> int:
    """Images whose logit indices of a phase are within the limit of this program."""
    return max(1, limits().phase_indices // likelihood.indices)


def predict(likelihood: PixelLikelihood, symbols: Int32, engine: Engine = in_batches) -> Prediction:
    """Yields the logit indices of each phase of the images of symbols (b, n), b ≥ 1, and is sent the phase's pixels.

    Raises LimitExceeded where the images have too many indices to be held together.
    """
    if len(symbols) > rows_at_once(likelihood):
        raise LimitExceeded(
            f"{len(symbols)} images in one payload: this lossless part allows {rows_at_once(likelihood)} "
            "(limit phase_indices)"
        )
    known = [engine(likelihood.map_network, symbols).reshape(len(symbols), -1).astype(np.int32)]
    for network in likelihood.phases:
        pixels = yield engine(network, np.concatenate(known, axis=1)).astype(np.int16)
        known.append(pixels.reshape(len(symbols), -1).astype(np.int32))


def follow_phases(prediction: Prediction, pixels_of: Callable[[int, Indices], Pixels]) -> list[Pixels]:
    """Drive a prediction to its end: pixels_of(phase, logit indices) says the pixels of each phase; all of them."""
    planes: list[Pixels] = []

    def answer(phase: int, indices: Indices) -> Pixels:
        planes.append(pixels_of(phase, indices))
        return planes[-1]

    with one_blas_thread():  # whose threads would otherwise wait, busily, between the networks' turns
        follow(prediction, answer)
    return planes


def most_probable(likelihood: PixelLikelihood, indices: Indices) -> Pixels:
    """Zero where its count is 2^23 or more, else the first of the most probable values; indices (b, h/2, w/2, …)."""
    zero = counts_of_flags(likelihood, indices)[:, 0].reshape(indices.shape[:3])
    pixels = np.where(2 * zero >= TOTAL, 0, 255).astype(np.uint8)
    if likelihood.values is not None:
        lit = pixels > 0
        pixels[lit] = 1 + counts_of_values(likelihood.values, indices[lit]).argmax(axis=1)
    return pixels


def likelihood_answer(likelihood: PixelLikelihood, symbols: Int32) -> str:
    """SHA-256 of the logit indices of the four phases, int32 little-endian, each phase's pixels the most probable."""
    digest, rows = hashlib.sha256(), rows_at_once(likelihood)
    predictions = [predict(likelihood, symbols[first : first + rows]) for first in range(0, len(symbols), rows)]
    pixels: list[Pixels | None] = [None] * len(predictions)
    for _ in PHASES:  # of all rows, some at a time, before the next
        for k, prediction in enumerate(predictions):
            sent = pixels[k]
            indices = next(prediction) if sent is None else prediction.send(sent)
            digest.update(indices.astype("<i4").tobytes())
            pixels[k] = most_probable(likelihood, indices)
    return digest.hexdigest()


def make_likelihood_answer(likelihood: PixelLikelihood, symbols: Int32) -> KnownAnswer:
    """The known answer of a lossless part, for 64 rows of symbols."""
    return KnownAnswer(symbols, likelihood_answer(likelihood, symbols[:1]), likelihood_answer(likelihood, symbols))
