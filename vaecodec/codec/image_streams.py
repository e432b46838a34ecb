"""Images to streams and back, many at a time: shared out to the cores, and to the lossless part what is coded exactly.

images ─┬─ at a setting ──pieces──> symbols ──> streams          streams ─┬─ lossy ──pieces──> symbols ──> images
        └─ exactly, or within a target: exact_or_lossy.py                 └─ exact ──> lossless.py ──────> images

What decompressing lossy streams does not use is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.bitstream.stream import is_exact
from vaecodec.codec.bulk import LEAST_PIECE, MOST_PIECE, pack_symbols, parse_streams
from vaecodec.codec.images import grey_pixels
from vaecodec.cores import map_on_cores, pieces

if TYPE_CHECKING:
    from PIL import Image

    from vaecodec.codec.codec import Codec, Pixels
    from vaecodec.codec.rate_control import Setting, Target


def compress(
    codec: Codec,
    images: Sequence[Pixels | Image.Image] | Pixels,
    level: int | None,
    effort: int,
    target: Target | None,
) -> list[bytes]:
    """Codec.compress_batch."""
    from vaecodec.codec.exact_or_lossy import compress_by_target
    from vaecodec.codec.rate_control import one_target, settings_for

    wanted = one_target(level, effort, target)
    pixels = [grey_pixels(image) for image in images]
    if not pixels:
        return []
    if codec.model.has_lossless or wanted.max_error is not None:
        return compress_by_target(codec, pixels, wanted)
    return compress_at(codec, pixels, settings_for(codec, pixels, wanted))


def compress_at(codec: Codec, pixels: list[Pixels], settings: list[Setting]) -> list[bytes]:
    """Codec.compress_at."""
    if not pixels:
        return []
    for setting in set(settings):
        codec.level(setting.level)
    codec.start_analysis()
    least = codec.refiner.least_piece if any(setting.effort for setting in settings) else LEAST_PIECE
    parts = pieces(len(pixels), least=least, most=MOST_PIECE)
    return list(chain(*map_on_cores(lambda part: _compress_part(codec, pixels[part], settings[part]), parts)))


def decompress(codec: Codec, streams: Sequence[bytes | memoryview]) -> list[Pixels]:
    """Codec.decompress_batch."""
    exact = [k for k, data in enumerate(streams) if is_exact(data)]
    left = [data for data in streams if not is_exact(data)] if exact else streams
    parts = pieces(len(left), least=LEAST_PIECE, most=MOST_PIECE)
    lossy = chain(*map_on_cores(lambda part: _decompress_part(codec, left[part]), parts))
    decoded = dict(zip(exact, _decompress_exact(codec, [streams[k] for k in exact]), strict=True)) if exact else {}
    return [decoded[k] if k in decoded else next(lossy) for k in range(len(streams))]


def _compress_part(codec: Codec, pixels: list[Pixels], settings: list[Setting]) -> list[bytes]:
    streams = [b""] * len(pixels)
    for setting in sorted(set(settings)):
        places = [k for k, one in enumerate(settings) if one == setting]
        images = [pixels[k] for k in places]
        sizes = [codec.frame.written_size(image) for image in images]
        packed = pack_symbols(codec, codec.choose_symbols(images, setting), sizes, setting.level)
        for k, stream in zip(places, packed, strict=True):
            streams[k] = stream
    return streams


def _decompress_part(codec: Codec, streams: Sequence[bytes | memoryview]) -> list[Pixels]:
    parsed = parse_streams(codec, streams)
    levels = np.unique(parsed.levels).tolist()
    if len(levels) == 1 and not any(parsed.sizes):
        return list(codec.synthesise(parsed.symbols, levels[0]))
    images: list[Pixels] = [np.empty(0, np.uint8)] * len(streams)
    for level in levels:
        places = np.flatnonzero(parsed.levels == level)
        for k, image in zip(places.tolist(), codec.synthesise(parsed.symbols[places], level), strict=True):
            size = parsed.sizes[k]
            images[k] = image if size is None else image[: size[0], : size[1]].copy()
    return images


def _decompress_exact(codec: Codec, streams: list[bytes | memoryview]) -> list[Pixels]:
    from vaecodec.codec.lossless import Received

    received = [Received(data, codec.fields(data)) for data in streams]
    return codec.lossless.decompress(received)
