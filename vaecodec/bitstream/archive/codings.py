"""How the images of a block are coded: one coding for all of them, or one for each; and what exact blocks add.

codings (1 or n bytes) | [largest error] | [CRC-32 of the pixels]
                         if any is 125     if any is 125 or 127

Photographs share no coder stream: their block has one coding, CODING_STREAMS, and holds a stream for each image.
"""

from dataclasses import dataclass

from vaecodec.bitstream.limits import MAX_LEVEL
from vaecodec.bitstream.reader import Reader, Writer
from vaecodec.bitstream.stream import CODED_EXACTLY, CODING_NEAR_LOSSLESS, check_coding
from vaecodec.errors import BadField, NotCanonical

CODING_STREAMS = 123  # in a block alone: each image is a stream of version 2
NO_CHECK = 0  # of a block whose images are all stored, or lossy


@dataclass(frozen=True, slots=True)
class Codings:
    """each: one for each image. max_error: E where images are near-lossless, else 0.

    pixels_check: CRC-32 of the pixels, row by row, of the images that are coded exactly, one after the other; NO_CHECK
    where there are none.
    """

    each: tuple[int, ...]
    max_error: int = 0
    pixels_check: int = NO_CHECK

    @property
    def is_exact(self) -> bool:
        """Whether the images are of other kinds than lossy."""
        return max(self.each) > MAX_LEVEL

    @property
    def is_streams(self) -> bool:
        """Whether each image is a stream of version 2."""
        return self.each[0] == CODING_STREAMS

    @property
    def several(self) -> bool:
        """Whether they differ."""
        return any(coding != self.each[0] for coding in self.each)


def check_codings(codings: Codings) -> None:
    """Raises BadField for codings that mean nothing, or do not go together."""
    if codings.is_streams and not codings.several:
        return
    for coding in set(codings.each):
        check_coding(coding, codings.max_error if coding == CODING_NEAR_LOSSLESS else 0)
    each = set(codings.each)
    if codings.is_exact and min(each) <= MAX_LEVEL:
        raise BadField("codings: lossy images share no block with others")
    if each >= CODED_EXACTLY:
        raise BadField("codings: lossless and near-lossless images share no block")
    if codings.max_error and CODING_NEAR_LOSSLESS not in each:
        raise BadField(f"codings: a largest error of {codings.max_error}, but no image is near-lossless")


def put_codings(writer: Writer, codings: Codings) -> None:
    """Write them. Raises BadField."""
    check_codings(codings)
    writer.raw(bytes(codings.each if codings.several else codings.each[:1]))
    if CODING_NEAR_LOSSLESS in codings.each:
        writer.u8(codings.max_error)
    if CODED_EXACTLY.intersection(codings.each):
        writer.u32(codings.pixels_check)


def take_codings(reader: Reader, count: int, several: bool) -> Codings:
    """The codings of `count` images; several: whether each has its own. Raises FormatError's children."""
    each = tuple(reader.take(count if several else 1, "codings"))
    if several and len(set(each)) == 1:
        raise NotCanonical("block: equal codings must be written once")
    max_error = reader.u8("largest error") if CODING_NEAR_LOSSLESS in each else 0
    check = reader.u32("check of the pixels") if CODED_EXACTLY.intersection(each) else NO_CHECK
    codings = Codings(each if several else each * count, max_error, check)
    check_codings(codings)
    return codings
