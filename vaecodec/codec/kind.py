"""Whether a picture is of the kind that a model of one geometry was made for, and which stream is better if it is not.

    picture ──the model, as is wanted, or at its default level──> what it decodes to
    its error / the picture's variance: at most a quarter where it is of the model's kind

A model explains nearly all of the variance of a picture of its kind in a few bytes, and next to nothing of any other's.
docs/decisions/0051-any-picture-finds-its-model.md has the measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.arrays import Pixels
from vaecodec.codec.codec import Codec
from vaecodec.codec.images import pixels_for
from vaecodec.codec.quality import mse
from vaecodec.codec.special import special_image, special_pixels
from vaecodec.codec.target import Target
from vaecodec.errors import TargetMissed

if TYPE_CHECKING:
    from vaecodec.codec.photograph import Coded
    from vaecodec.codec.picture import Picture

MOST_UNEXPLAINED = 0.25  # of the variance: digits and sprites stay below 0.2, photographs of their sizes are above 0.9


def of_another_kind(codec: Codec, images: Sequence[Pixels], streams: Sequence[bytes]) -> list[int]:
    """The places of the images that are not of the model's kind, by their streams and then by its default level."""
    images = [pixels_for(image, codec.channels) for image in images]
    suspects = _unexplained(codec, images, streams, range(len(images)))
    again = codec.compress_batch([images[k] for k in suspects])
    return _unexplained(codec, images, again, suspects)


def no_worse(codec: Codec, picture: Picture, rival: Coded, target: Target) -> bytes | None:
    """The codec's stream if it is better than the rival, None if it is not.

    Within a number of bytes the smaller error is better, else the fewer bytes, with an error that is at most the
    target's, or the rival's where the target does not say one.
    """
    image, pixels = special_image(picture), pixels_for(special_pixels(picture), codec.channels)
    try:
        if target.target_bytes is not None:
            stream = codec.compress_batch([image], target=target)[0]
            return stream if mse(codec.decompress(stream), pixels) < rival.mse else None
        largest = rival.mse if target.largest_mse is None else target.largest_mse
        stream = codec.compress_batch([image], target=Target(max_mse=largest))[0]
    except TargetMissed:
        return None
    return stream if len(stream) < len(rival.stream) else None


def _unexplained(codec: Codec, images: Sequence[Pixels], streams: Sequence[bytes], places: Sequence[int]) -> list[int]:
    """Those of the places whose stream leaves too much of the image's variance."""
    decoded = codec.decompress_batch(streams)
    return [k for k, image in zip(places, decoded, strict=True) if not _explains(image, images[k])]


def _explains(decoded: Pixels, pixels: Pixels) -> bool:
    error = mse(decoded, pixels)
    return error == 0 or error <= MOST_UNEXPLAINED * float(pixels.var(dtype=np.float64))
