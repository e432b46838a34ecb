"""Which kind of stream an image gets from a model that has a lossless part, and perhaps lossy levels.

target ─┬─ max_error, quality 100 ──────────────────────────────────> exact
        └─ the others ──> levels ──> lossy streams ──limits──> exact if no larger (or within target_bytes), else lossy
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaecodec.bitstream.limits import MAX_STREAM_BYTES
from vaecodec.codec.rate_control import Target, exact_error, find_settings, missed
from vaecodec.errors import TargetMissed

if TYPE_CHECKING:
    from vaecodec.codec.codec import Codec, Pixels


def compress_by_target(codec: Codec, images: Sequence[Pixels], target: Target) -> list[bytes]:
    """A stream for each image; a lossy one is never as large as the lossless one. Raises ModelError, TargetMissed."""
    error = exact_error(codec.model, target)
    if error is not None:
        streams = codec.lossless.compress(images, error)
        longest = max(map(len, streams), default=0)
        if target.target_bytes is not None and longest > target.target_bytes:
            raise TargetMissed(f"target of {target.target_bytes} bytes: {codec.model.name} needs {longest}")
        return streams
    found = find_settings(codec, images, target)
    met = [k for k, one in enumerate(found) if one.meets]
    coded = codec.compress_at([images[k] for k in met], [found[k].setting for k in met])
    lossy = dict(zip(met, coded, strict=True))
    limits = [_limit(lossy.get(k), target) for k in range(len(images))]
    streams = []
    for k, exact in enumerate(codec.lossless.compress_within(images, limits)):
        if exact is None and k not in lossy:
            raise missed(codec, images[k], target, found[k].setting)
        streams.append(lossy[k] if exact is None else exact)
    return streams


def _limit(lossy: bytes | None, target: Target) -> int:
    """Bytes that the lossless stream of an image may have to be preferred."""
    if target.target_bytes is not None:
        return target.target_bytes
    return MAX_STREAM_BYTES if lossy is None else len(lossy)
