"""LosslessCodec: streams of images that come back exactly, or each pixel within a largest error.

framed image ──analysis──> symbols ─┬─> pixel coder ──> payload ─┐ the shorter
             ──rounded to bins──────┘   stored pixels ───────────┴──> stream
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels, Size, Symbols
from vaecodec.bitstream.limits import MAX_ERROR
from vaecodec.bitstream.stream import (
    CODED_EXACTLY,
    CODING_LOSSLESS,
    CODING_NEAR_LOSSLESS,
    CODING_STORED_BITS,
    MIN_STREAM_BYTES,
    Stream,
    pack,
    verify,
)
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.images import Frame, Framed
from vaecodec.codec.received import Received
from vaecodec.cores import map_on_cores, pieces
from vaecodec.errors import ConfigError, ModelError, NotCanonical
from vaecodec.exact.known_answer import Proof
from vaecodec.modelfile.lossless_part import LosslessPart
from vaecodec.modelfile.onnx_graph import Expected
from vaecodec.pixels.coder import (
    SpentBits,
    decode_payloads,
    encode_payloads,
    least_payload_bytes,
    least_value_bits,
)
from vaecodec.pixels.near_lossless import Bins
from vaecodec.pixels.phases import likelihood_answer, rows_at_once
from vaecodec.pixels.stored import pack_stored, stored_bytes, stored_coding, unpack_stored

LEAST_PIECE, MOST_PIECE = 16, 256  # images that one core takes at a time
LUCKY_BITS = 32  # a payload this much shorter than its information is met once in 2^32 images
PIECE_PIXELS = 1 << 20  # of them all: logit indices take some 100 bytes a pixel

Rows = npt.NDArray[np.intp]
T = TypeVar("T")


class LosslessCodec:
    """Compresses and decompresses exactly with a model's lossless part, whose images are grey."""

    def __init__(self, part: LosslessPart, frame: Frame, fingerprint: bytes) -> None:
        self.part = part
        self.frame = frame
        self._fingerprint = fingerprint
        self._analysis = AnalysisSession(part.analysis, Expected((None, *part.geometry), (None, part.tables.n)))
        self._proof = Proof(
            part.known_answer,
            lambda rows: [likelihood_answer(part.likelihood, rows)],
            model=frame.name,
            of=" of the lossless part",
        )

    # streams

    def compress(self, images: Sequence[Framed], max_error: int = 0) -> list[bytes]:
        """A stream for each image, which decodes to it within max_error grey levels, 0..127.

        The shortest of what there is: coded within max_error, coded exactly, stored. Raises ConfigError, ModelError.
        """
        if not 0 <= max_error <= MAX_ERROR:
            raise ConfigError(f"max_error: expected 0..{MAX_ERROR}, found {max_error}")
        symbols = self.analyse(images)
        offers = [self._encode(images, symbols, Bins(error)) for error in sorted({max_error, 0}, reverse=True)]
        return [self._shortest(image, coded) for image, *coded in zip(images, *offers, strict=True)]

    def compress_within(self, images: Sequence[Framed], limits: Sequence[int]) -> list[bytes | None]:
        """For each image its lossless stream if that has at most limits[k] bytes, else None.

        Most are given up by a bound that takes no network, some by one that takes the analysis alone, most of the
        others after their first phase. Raises ModelError.
        """
        whole, codable = self.rounded(images, Bins(0))
        room = np.array([8 * (limit - self._overhead(image)) for image, limit in zip(images, limits, strict=True)])
        of_values = least_value_bits(self.part, whole)
        codable = codable[of_values[codable] <= room[codable] + LUCKY_BITS]
        symbols = self.analyse([images[k] for k in codable.tolist()])
        least_bits = of_values[codable] + self.part.tables.information_bits(symbols)
        within = least_bits <= room[codable] + LUCKY_BITS
        codable, symbols = codable[within], symbols[within]
        whole = whole[codable]
        least = self._on_cores(
            np.arange(len(codable)), lambda rows: least_payload_bytes(self.part, symbols[rows], whole[rows])
        )
        near = np.flatnonzero(8 * np.array(least, np.int64) <= room[codable])
        places = codable[near].tolist()
        coded = dict(zip(places, self._encode([images[k] for k in places], symbols[near], Bins(0)), strict=True))
        return [self._within(image, limits[k], coded.get(k)) for k, image in enumerate(images)]

    def decompress(self, received: Sequence[Received]) -> list[Pixels]:
        """The image of each stream. Raises FormatError's children."""
        images: list[Pixels] = [np.empty(0, np.uint8)] * len(received)
        for k, one in enumerate(received):
            if one.stream.coding not in CODED_EXACTLY:
                images[k] = unpack_stored(one.stream.coding, one.stream.payload, self._size(one.stream))
        for error in {one.stream.max_error for one in received if one.stream.coding in CODED_EXACTLY}:
            places = [k for k, one in enumerate(received) if _is_coded_within(one.stream, error)]
            _, decoded = self._decode([received[k].stream for k in places], Bins(error))
            for k, whole in zip(places, decoded, strict=True):
                images[k] = self.cropped(whole, self._size(received[k].stream))
                verify(received[k].data, self._fingerprint, images[k].tobytes())
        return images

    def spent(self, streams: Sequence[Stream]) -> SpentBits:
        """What the bits of coded streams of one largest error are spent on, (b,). Raises FormatError's children."""
        bins = Bins(streams[0].max_error)
        symbols, images = self._decode(streams, bins)
        return encode_payloads(self.part, bins, [1] * len(streams), symbols, images).spent

    # images and payloads

    def analyse(self, images: Sequence[Framed]) -> Symbols:
        """Symbols (b, n) of images. Raises ModelError."""
        part = self.part
        if not images:
            return np.empty((0, part.tables.n), np.int32)
        y = self._analysis(np.stack([image.whole for image in images]))
        if y.shape != (len(images), part.tables.n):
            raise ModelError(f"the lossless analysis graph gives latents {y.shape}, the part has {part.tables.n}")
        return part.symbols_of(y)

    def rounded(self, images: Sequence[Framed], bins: Bins) -> tuple[Pixels, Rows]:
        """What is coded of images, (b, h, w), and which of them can be: a part of 1 bit takes no grey."""
        whole = np.stack([image.whole for image in images]) if images else np.empty((0, *self.frame.shape), np.uint8)
        coded = bins.rounded(whole, self.part.likelihood.bit_depth)
        error = np.abs(coded.astype(np.int16) - whole).max(axis=(1, 2), initial=0)
        return coded, np.flatnonzero(error <= bins.max_error)

    def cropped(self, whole: Pixels, size: Size) -> Pixels:
        """The top left, (height, width), of a decoded image. Raises NotCanonical where the rest does not repeat it."""
        if not self.frame.is_padded(whole, size):
            raise NotCanonical("payload: pixels beyond the image's size must repeat its edge")
        return self.frame.cropped(whole, size)

    def prove(self, batch: int) -> None:
        """Compare with the known answer before the first use, and before the first use of a real batch."""
        self._proof.before(batch)

    def _encode(self, images: Sequence[Framed], symbols: Symbols, bins: Bins) -> list[bytes | None]:
        """The coded stream of each image; None where the part cannot code it."""
        whole, codable = self.rounded(images, bins)
        payloads = self._on_cores(
            codable,
            lambda rows: encode_payloads(self.part, bins, [1] * len(rows), symbols[rows], whole[rows]).payloads,
        )
        streams: list[bytes | None] = [None] * len(images)
        coding = CODING_NEAR_LOSSLESS if bins.max_error else CODING_LOSSLESS
        for k, payload in zip(codable.tolist(), payloads, strict=True):
            size, window = images[k].size, images[k].window
            pixels, error = self.frame.cropped(whole[k], size).tobytes(), bins.max_error
            streams[k] = pack(coding, self._fingerprint, size, payload, max_error=error, pixels=pixels, window=window)
        return streams

    def _decode(self, streams: Sequence[Stream], bins: Bins) -> tuple[Symbols, Pixels]:
        """Symbols (b, n) and images (b, h, w)."""
        for stream in streams:
            height, width = self._size(stream)
            if len(stream.payload) > height * width:
                raise NotCanonical(
                    f"payload of {len(stream.payload)} bytes: {height * width} stored pixels are shorter"
                )
        self.prove(len(streams))

        def decode(part: slice) -> tuple[Symbols, Pixels]:
            payloads = [stream.payload for stream in streams[part]]
            return decode_payloads(self.part, bins, [1] * len(payloads), payloads)

        decoded = map_on_cores(decode, self._pieces(len(streams)))
        symbols, images = zip(*decoded, strict=True)
        return np.concatenate(symbols), np.concatenate(images)

    def _on_cores(self, rows: Rows, function: Callable[[Rows], list[T]]) -> list[T]:
        """What the function gives for some rows at a time, all together."""
        if not len(rows):
            return []
        self.prove(len(rows))
        return list(chain(*map_on_cores(function, [rows[part] for part in self._pieces(len(rows))])))

    def _pieces(self, count: int) -> list[slice]:
        most = min(PIECE_PIXELS // (self.frame.shape[0] * self.frame.shape[1]), rows_at_once(self.part.likelihood))
        # of at most half as many as the most, so that equal pieces never pass it
        return pieces(count, least=max(1, min(LEAST_PIECE, most // 2)), most=min(MOST_PIECE, most))

    def _shortest(self, image: Framed, coded: Sequence[bytes | None]) -> bytes:
        best = min((data for data in coded if data is not None), key=len, default=None)
        if best is not None and len(best) <= self._stored_length(image):
            return best
        coding, payload = stored_coding(image.pixels), pack_stored(image.pixels)
        return pack(coding, self._fingerprint, image.size, payload, window=image.window)

    def _within(self, image: Framed, limit: int, coded: bytes | None) -> bytes | None:
        """The shortest stream, if it is not longer than the limit."""
        bits_alone = stored_bytes(CODING_STORED_BITS, image.size or self.frame.size)
        if coded is None and limit < self._overhead(image) + bits_alone:
            return None  # without a look at the pixels
        least = self._stored_length(image) if coded is None else min(len(coded), self._stored_length(image))
        return self._shortest(image, [coded]) if least <= limit else None

    def _stored_length(self, image: Framed) -> int:
        return self._overhead(image) + stored_bytes(stored_coding(image.pixels), image.size or self.frame.size)

    def _overhead(self, image: Framed) -> int:
        window_bytes = 0 if image.window is None else len(image.window.pack())
        return MIN_STREAM_BYTES + (0 if image.size is None else 2) + window_bytes

    def _size(self, stream: Stream) -> Size:
        return stream.size or self.frame.size


def _is_coded_within(stream: Stream, error: int) -> bool:
    return stream.coding in CODED_EXACTLY and stream.max_error == error
