"""How far the images of an archive are from what was given, measured while it is written.

block, just made ──decode_block──> images ──mse, against what was given──> one number for each image

Nothing of how a block was made is believed: it is decoded as a reader does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vaecodec.archive.blocks import decode_block
from vaecodec.archive.encode import PendingImage
from vaecodec.arrays import Pixels
from vaecodec.bitstream.archive.block import Block
from vaecodec.codec.codec import Codec
from vaecodec.codec.quality import mse_of_each


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """An image that was written. number: in the archive. mse: of what it decodes to, in squared grey levels.

    pixels: what was given, (h, w) or (h, w, 3); None of a photograph, which is not held until its block is full.
    """

    number: int
    name: str | None
    mse: float
    pixels: Pixels | None


Watch = Callable[[Measured], None]


def block_errors(block: Block, codec: Codec, items: Sequence[PendingImage]) -> list[float]:
    """The mean squared error of each image of a block, in squared grey levels. Raises FormatError's children."""
    decoded = decode_block(block, codec).images()
    return [float(error) for error in mse_of_each(decoded, [item.image.pixels for item in items])]
