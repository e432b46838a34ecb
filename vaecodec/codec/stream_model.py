"""Which of several models a stream was made with: its two bytes of fingerprint leave a choice, its check decides.

lossy, stored   the check covers bytes and the whole fingerprint: no model need be read
coded exactly   the check covers the pixels too: with a choice, the models decode it in turn
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vaecodec.bitstream.stream import CODED_EXACTLY, unpack, verify
from vaecodec.codec.codec import Codec
from vaecodec.errors import FormatError


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model whose fingerprint begins as the stream says; `codec` reads it."""

    fingerprint: bytes
    codec: Callable[[], Codec]

    @classmethod
    def of(cls, codec: Codec) -> Candidate:
        """One that is read already."""
        return cls(codec.fingerprint, lambda: codec)


def codec_among(candidates: Sequence[Candidate], data: bytes | memoryview) -> Codec | None:
    """The codec of the model that made the stream; None without candidates.

    A stream that is coded exactly and has one candidate is not decoded here: whoever does so will find damage. Raises
    FormatError's children, for the last candidate, where the stream is damaged or none made it.
    """
    coded_exactly, damage = unpack(data).coding in CODED_EXACTLY, None
    for candidate in candidates:
        try:
            if not coded_exactly:
                verify(data, candidate.fingerprint)
            elif len(candidates) > 1:
                candidate.codec().decompress(data)
        except FormatError as error:
            damage = error
            continue
        return candidate.codec()
    if damage is not None:
        raise damage
    return None
