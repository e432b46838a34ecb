"""Where the bits of exact images go, and what the latents and the context are worth.

both            true latents, true pixels of the phases before: what files hold
without y       the latents replaced by the most probable symbol of each; pixels alone are counted
without context each phase sees the most probable pixels of the phases before, not the true ones
neither         both replaced
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.images import Images
from vaecodec.arrays import Symbols
from vaecodec.entropy.tables import PRECISION, CodingTables
from vaecodec.modelfile.lossless_part import PHASES, LosslessPart, PixelLikelihood
from vaecodec.pixels.phases import follow_phases, most_probable, predict, split_phases
from vaecodec.pixels.tables import Indices, counts_of_flags, counts_of_values

Bits = NDArray[np.float64]
CHUNK = 256  # images at once
VALUE_ROWS = 4096  # distributions of values at once


@dataclass(frozen=True, slots=True)
class PartBits:
    """Mean bits of an image. phases: pixels, phase by phase, with latents and context."""

    latents: float
    phases: tuple[float, ...]
    pixels_both: float
    pixels_without_latents: float
    pixels_without_context: float
    pixels_with_neither: float

    def to_dict(self, pixels: int) -> dict[str, Any]:
        """For JSON, with bits per pixel of whole images."""
        totals = {
            "both": self.latents + self.pixels_both,
            "without_latents": self.pixels_without_latents,
            "without_context": self.latents + self.pixels_without_context,
            "with_neither": self.pixels_with_neither,
        }
        return {**asdict(self), "bits_per_pixel": {name: bits / pixels for name, bits in totals.items()}}


def measure_parts(part: LosslessPart, symbols: Symbols, images: Images) -> PartBits:
    """Symbols (b, n) and images (b, h, w) of the model's geometry; raises nothing that coding them would not."""
    modes = np.broadcast_to(most_probable_symbols(part.tables), symbols.shape)
    with_both = pixel_bits(part.likelihood, symbols, images, context=True)
    return PartBits(
        latents=float(part.tables.information_bits(symbols).mean()),
        phases=tuple(with_both.mean(axis=0).tolist()),
        pixels_both=float(with_both.sum(axis=1).mean()),
        pixels_without_latents=_mean(pixel_bits(part.likelihood, modes, images, context=True)),
        pixels_without_context=_mean(pixel_bits(part.likelihood, symbols, images, context=False)),
        pixels_with_neither=_mean(pixel_bits(part.likelihood, modes, images, context=False)),
    )


def most_probable_symbols(tables: CodingTables) -> Symbols:
    """The symbol of the highest count of each latent, int32 (n,)."""
    found: Symbols = tables.offsets + tables.counts[:, :-1].argmax(axis=1).astype(np.int32)
    return found


def pixel_bits(likelihood: PixelLikelihood, symbols: Symbols, images: Images, *, context: bool) -> Bits:
    """Bits (b, phases) under the stored tables; context: phases see the true pixels before them, or guessed ones."""
    parts = []
    for start in range(0, len(images), CHUNK):
        planes = split_phases(images[start : start + CHUNK])
        parts.append(_chunk_bits(likelihood, symbols[start : start + CHUNK], planes, context))
    return np.concatenate(parts)


def _chunk_bits(likelihood: PixelLikelihood, symbols: Symbols, planes: list[Images], context: bool) -> Bits:
    bits = np.empty((len(symbols), len(PHASES)))

    def seen(phase: int, indices: Indices) -> Images:
        bits[:, phase] = phase_bits(likelihood, indices, planes[phase])
        return planes[phase] if context else most_probable(likelihood, indices)

    follow_phases(predict(likelihood, symbols), seen)
    return bits


def phase_bits(likelihood: PixelLikelihood, indices: Indices, plane: Images) -> Bits:
    """Bits (b,) of the pixels (b, h/2, w/2) of one phase."""
    lit = plane != 0
    flags = counts_of_flags(likelihood, indices)[np.arange(plane.size), lit.ravel().astype(np.intp)]
    bits: Bits = _content(flags).reshape(len(plane), -1).sum(axis=1)
    if likelihood.values is None:
        return bits
    owners, values, rows = np.nonzero(lit)[0], plane[lit].astype(np.intp) - 1, indices[lit]
    for start in range(0, len(rows), VALUE_ROWS):
        counts = counts_of_values(likelihood.values, rows[start : start + VALUE_ROWS])
        chosen = counts[np.arange(len(counts)), values[start : start + VALUE_ROWS]]
        bits += np.bincount(owners[start : start + VALUE_ROWS], _content(chosen), len(plane))
    return bits


def _content(counts: Bits) -> Bits:
    return np.asarray(PRECISION - np.log2(counts), np.float64)


def _mean(bits: Bits) -> float:
    return float(bits.sum(axis=1).mean())
