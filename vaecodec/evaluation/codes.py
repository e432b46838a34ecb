"""The codes of images under a model: the one place where studies of latents look into a codec.

images uint8 (b, h, w) ──analysis graph──> means float (b, d) ┐  d: the latents that the level codes
                       ──quantizer───────> symbols int (b, d) ┴─> Codes
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaecodec.codec.codec import Codec

BATCH = 256


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """means: float64 (b, d). symbols: int64 (b, d). bits: -log2 P of each symbol under the model's own tables, (b, d).

    coded: the places of the d latents among all of the model's, (d,). steps: (d,), of the quantizer. latents: of the
    model, coded or not.
    """

    means: NDArray[np.float64]
    symbols: NDArray[np.int64]
    bits: NDArray[np.float64]
    coded: NDArray[np.intp]
    steps: NDArray[np.float64]
    latents: int

    @property
    def file_bits(self) -> NDArray[np.float64]:
        """All latents together, (b,)."""
        return np.asarray(self.bits.sum(axis=1))


def codes_of(codec: Codec, images: NDArray[np.uint8], level: int = 0) -> Codes:
    """Of images (b, h, w) of the model's geometry at one of its levels."""
    stored = codec.model.levels[level]
    coded = np.flatnonzero(stored.tables.coded)
    symbols, means = codec.lossy.analyse(images, level), codec.lossy.latents(images, level)
    parts = [codec.lossy.symbol_bits(symbols[at : at + BATCH], level) for at in range(0, len(images), BATCH)]
    return Codes(
        means=means.astype(np.float64)[:, coded],
        symbols=symbols[:, coded].astype(np.int64),
        bits=np.concatenate(parts)[:, coded],
        coded=coded,
        steps=np.asarray(stored.quantizer.step, np.float64)[coded],
        latents=symbols.shape[1],
    )
