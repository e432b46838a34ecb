"""What the header of a model file says: enough to find a model, in a fraction of the time that reading it takes."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from vaecodec.bitstream.canonical_json import spell
from vaecodec.bitstream.container import unpack_header
from vaecodec.bitstream.limits import MAX_HEADER_BYTES, MAX_JSON_INTEGER, MAX_MODEL_SIDE
from vaecodec.errors import BadField, Truncated, VaecodecError

HEADER_READ_BYTES = 1 << 16  # longer than the header of most models
ANALYSES = ("encode/analysis.onnx", "encode/lossless/analysis.onnx")
CHANNELS = (1, 3)  # grey, RGB
EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Summary:
    """What the header alone says of a model.

    betas: one for each lossy level. has_analysis: whether it can compress (False: stripped to its decoder, see
    derived.py). channels, about: as Model's.
    """

    name: str
    family: str
    fingerprint: bytes
    height: int
    width: int
    channels: int
    betas: tuple[float, ...]
    has_lossless: bool
    has_analysis: bool
    about: dict[str, Any]


def read_summary(path: str | os.PathLike[str]) -> Summary:
    """Read a model file's header. Raises OSError, FormatError and its children."""
    with open(path, "rb") as file:
        data = file.read(HEADER_READ_BYTES)
        try:
            meta, digests = unpack_header(data)
        except Truncated:
            meta, digests = unpack_header(data + file.read(MAX_HEADER_BYTES))
    with refusing_misshapen():
        about, decode = dict(meta["about"]), meta["decode"]
        summary = Summary(
            name=about.pop("name"),
            family=about.pop("family"),
            fingerprint=fingerprint_of(decode, digests),
            height=decode["height"],
            width=decode["width"],
            channels=decode.get("channels", 1),
            betas=tuple(checked_beta(beta) for beta in meta["encode"]["betas"]),
            has_lossless="lossless" in decode,
            has_analysis=EMPTY not in (digests.get(name) for name in ANALYSES),
            about=about,
        )
        check_header(summary)
    return summary


@contextmanager
def refusing_misshapen() -> Iterator[None]:
    """What Python says of a field that is missing or of another shape becomes BadField."""
    try:
        yield
    except VaecodecError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise BadField(f"model file: missing or misshapen field ({error!r})") from error
    except ValueError as error:
        raise BadField(f"model file: {error}") from error


def fingerprint_of(decode: dict[str, Any], digests: dict[str, str]) -> bytes:
    """SHA-256 of the canonical JSON of meta.decode and of each decode/ section's name and SHA-256."""
    listed = [[name, digests[name]] for name in sorted(digests) if name.startswith("decode/")]
    return hashlib.sha256(spell([decode, listed])).digest()


def checked_beta(value: object) -> float:
    """The β of a level. Raises BadField."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadField(f"model file: β of a level must be a number, found {value!r}")
    if not 0 <= value < math.inf or (isinstance(value, int) and value > MAX_JSON_INTEGER):
        raise BadField(f"model file: β of a level must be finite and at least 0, found {value!r}")
    return float(value)


class Headed(Protocol):
    """What check_header looks at."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def channels(self) -> int: ...


def check_header(part: Headed) -> None:
    """What can be checked without the sections. Raises BadField."""
    if not (isinstance(part.name, str) and isinstance(part.family, str)):
        raise BadField("model file: name and family must be strings")
    for side in (part.height, part.width):
        if type(side) is not int or not 1 <= side <= MAX_MODEL_SIDE:
            raise BadField(f"model file: geometry {part.height!r}x{part.width!r} is not in 1..{MAX_MODEL_SIDE}")
    if type(part.channels) is not int or part.channels not in CHANNELS:
        raise BadField(f"model file: channels {part.channels!r}, expected 1 (grey) or 3 (RGB)")
