"""Figure 5 of the paper: one latent at a time changed, everything else as one image has it; and paths between images.

symbols of an image ──latent j at its quantiles──> symbols (steps, n) ──synthesis──> pictures, integer-exact

What is decoded are whole symbols, as a file holds them: a step is a step of the quantizer, and every machine draws the
same pixels.
"""

import numpy as np
from numpy.typing import NDArray

from vaecodec.errors import ConfigError
from vaecodec.evaluation.figures.sheet import Row, Sheet, Tile
from vaecodec.evaluation.figures.subject import Sources, Subject, spread

STEPS = 9
TAIL = 0.025  # of the symbols, on either side, is left out
MOST_ROWS = 12
LEAST_BITS = 0.01  # about a factor: less says nothing
PATHS = 6


def traversals(sources: Sources) -> Sheet:
    """A row a latent, by its bits; of the first subject, around the image in the middle of its set."""
    subject = sources.need_subjects()[0]
    base = subject.symbols[len(subject.symbols) // 2]
    order = subject.by_bits()
    rows = tuple(_row(subject, base, int(j)) for j in order[:MOST_ROWS])
    left = len(order) - len(rows)
    note = (
        f"Each latent from its {TAIL:.1%} to its {1 - TAIL:.1%} quantile, the others as one image has "
        f"them. Bits: −log2 P under the stored tables, mean over {len(subject.images):,} images."
    )
    note += f" {left} latents with fewer bits are not shown." if left else ""
    return Sheet(f"Traversals, one latent at a time: {subject.name}", rows, note)


def _row(subject: Subject, base: NDArray[np.int32], j: int) -> Row:
    codes = subject.codes
    symbols = np.repeat(base[None], STEPS, axis=0)
    low, high = np.quantile(codes.symbols[:, j], (TAIL, 1 - TAIL))
    values = np.linspace(low, high, STEPS).round().astype(np.int32)
    symbols[:, codes.coded[j]] = values
    tiles = tuple(Tile(picture, float(value)) for picture, value in zip(subject.decoded(symbols), values, strict=True))
    numbers = [("", float(codes.bits[:, j].mean()), "bits", 2)]
    heading = f"latent {codes.coded[j]}"
    table = subject.information
    if table is not None and subject.truth is not None:
        follows = int(np.argmax(table.shares[j]))
        bits = float(table.mutual[j, follows])
        if bits > LEAST_BITS:
            numbers.append((f"about {subject.truth.names[follows]}", bits, "bits", 2))
    return Row(heading, tiles, tuple(numbers))


def interpolations(sources: Sources) -> Sheet:
    """Straight paths between the symbols of two images, every point rounded. Raises ConfigError for one image."""
    subject = sources.need_subjects()[0]
    if len(subject.symbols) < 2:
        raise ConfigError(f"{subject.name}: paths need two images or more")
    ends = subject.symbols[spread(len(subject.symbols), 2 * min(PATHS, len(subject.symbols) // 2))]
    rows = []
    for first, last in zip(ends[::2], ends[1::2], strict=True):
        share = np.linspace(0, 1, STEPS)[:, None]
        path = np.rint((1 - share) * first + share * last).astype(np.int32)
        bits = subject.codec.lossy.information_bits(path, subject.level)
        pictures = subject.decoded(path)
        tiles = (Tile(picture, float(cost), "bits", 1) for picture, cost in zip(pictures, bits, strict=True))
        rows.append(Row("", tuple(tiles)))
    note = "Below each picture what its symbols cost: a place that the prior expects is cheap."
    return Sheet(f"From one image to another, through the latents: {subject.name}", tuple(rows), note)
