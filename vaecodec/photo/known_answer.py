"""The known answer of a photograph model: payloads of a small picture, and the hash of the pixels that they give.

Decoding them goes through every network, table and rounding. Wrong arithmetic is noticed before it harms.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaecodec.arrays import Size
from vaecodec.bitstream.reader import Buffer
from vaecodec.errors import BadField
from vaecodec.exact.stored_form import Sections
from vaecodec.photo.latents import ExactPhoto, RegionEncoder, decode_region
from vaecodec.photo.regions import hyper_size

SHAPE = 5, 6  # positions of y: both colours, an odd side, and two of z each way
MAX_ANSWERS = 8
MAX_SIDE = 16  # positions: a file must not keep us busy
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KnownPayload:
    """A payload of latents of a shape at a level, and the SHA-256 of its pixels."""

    level: int
    shape: Size
    payload: bytes
    sha256: str

    def digest(self, networks: ExactPhoto) -> str:
        """The SHA-256 that this machine gives. Raises FormatError's children for a payload that is none."""
        return _digest(networks, self.payload, self.level, self.shape)


def _digest(networks: ExactPhoto, payload: bytes, level: int, shape: Size) -> str:
    told = decode_region(networks, payload, level, shape)
    return hashlib.sha256(networks.synthesis.pixels(told.base, told.detail, level).tobytes()).hexdigest()


def make_answers(networks: ExactPhoto, levels: Sequence[int], seed: int = 0) -> tuple[KnownPayload, ...]:
    """A known payload of random latents for each of some levels."""
    rng = np.random.default_rng(seed)
    made = []
    for level in levels:
        encoder = RegionEncoder(networks, level)
        z = rng.integers(-3, 4, (*hyper_size(SHAPE), networks.z_tables.n)).astype(np.int32)
        y = rng.normal(0, 4, (*SHAPE, sum(networks.base_heads.sizes))).astype(np.float32)
        encoder.tell_base(z, y)
        if level >= networks.silent:
            encoder.tell_detail(rng.normal(0, 1, (*SHAPE, networks.detail_channels)).astype(np.float32), 10.0)
        payload = encoder.finish()
        made.append(KnownPayload(level, SHAPE, payload, _digest(networks, payload, level, SHAPE)))
    return tuple(made)


def pack_answer(answers: Sequence[KnownPayload]) -> tuple[list[dict[str, Any]], Sections]:
    """The header's list, and the sections of the payloads."""
    described = [{"level": a.level, "height": a.shape[0], "width": a.shape[1], "sha256": a.sha256} for a in answers]
    return described, {f"decode/known_answer/{number}": a.payload for number, a in enumerate(answers)}


def unpack_answer(
    described: list[dict[str, Any]], sections: Mapping[str, Buffer], levels: int
) -> tuple[KnownPayload, ...]:
    """The inverse; levels: of the model. Raises BadField; KeyError for a missing section."""
    if not 1 <= len(described) <= MAX_ANSWERS:
        raise BadField(f"photograph model: {len(described)} known answers, expected 1 … {MAX_ANSWERS}")
    found = []
    for number, one in enumerate(described):
        level, height, width, digest = one["level"], one["height"], one["width"], one["sha256"]
        if any(type(n) is not int for n in (level, height, width)) or not 0 <= level < levels:
            raise BadField(f"photograph model: known answer {number} at level {level!r}")
        if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
            raise BadField(f"photograph model: known answer {number} of {height}x{width} positions")
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise BadField(f"photograph model: known answer {number} must be 64 lower-case hexadecimal digits")
        payload = bytes(sections[f"decode/known_answer/{number}"])
        found.append(KnownPayload(level, (height, width), payload, digest))
    return tuple(found)
