"""What the header of a model file says: enough to find a model, in a fraction of the time that reading it takes."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from vaecodec.bitstream.canonical_json import spell
from vaecodec.bitstream.container import unpack_header
from vaecodec.bitstream.limits import MAX_HEADER_BYTES, MAX_JSON_INTEGER, MAX_MODEL_SIDE
from vaecodec.bitstream.reader import Buffer
from vaecodec.errors import BadField, LimitExceeded, Truncated, VaecodecError
from vaecodec.limits import limits

HEADER_READ_BYTES = 1 << 16  # longer than the header of most models
ANALYSES = ("encode/analysis.onnx", "encode/lossless/analysis.onnx")
CHANNELS = (1, 3)  # grey, RGB
PHOTOGRAPH = "photograph"  # the key of meta.decode that a photograph model has
EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Summary:
    """What the header alone says of a model.

    is_photograph: whether it takes pictures of any size, so that height and width are 0. betas: one for each lossy
    level. has_analysis: whether it can compress (False: stripped to its decoder, see derived.py). channels, about: as
    Model's.
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
    is_photograph: bool = False


def read_summary(path: str | os.PathLike[str]) -> Summary:
    """Read a model file's header. Raises OSError, FormatError and its children."""
    with open(path, "rb") as file:
        data = file.read(HEADER_READ_BYTES)
        try:
            return summarise(data)
        except Truncated:
            return summarise(data + file.read(MAX_HEADER_BYTES))


def summarise(data: Buffer) -> Summary:
    """What the header of a model file says, of which `data` may hold more. Raises FormatError and its children."""
    meta, digests = unpack_header(data)
    with refusing_misshapen():
        about, decode = dict(meta["about"]), meta["decode"]
        is_photograph = PHOTOGRAPH in decode
        summary = Summary(
            name=about.pop("name"),
            family=about.pop("family"),
            fingerprint=fingerprint_of(decode, digests),
            height=0 if is_photograph else decode["height"],
            width=0 if is_photograph else decode["width"],
            channels=3 if is_photograph else decode.get("channels", 1),
            betas=checked_betas(meta["encode"]["betas"]),
            has_lossless="lossless" in decode,
            has_analysis=_has_analysis(digests, is_photograph),
            about=about,
            is_photograph=is_photograph,
        )
        if is_photograph:
            check_names(summary)
        else:
            check_header(summary)
    return summary


def _has_analysis(digests: dict[str, str], is_photograph: bool) -> bool:
    found = [digests[name] for name in ANALYSES if name in digests]
    return bool(found) if is_photograph else EMPTY not in found


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


def check_decode_bytes(sections: Mapping[str, Buffer]) -> None:
    """Raises LimitExceeded for more than this program holds of what decoding depends on."""
    held = sum(len(section) for name, section in sections.items() if name.startswith("decode/"))
    if held > limits().decode_bytes:
        raise LimitExceeded(
            f"model file: {held} bytes that decoding depends on, at most {limits().decode_bytes} (limit decode_bytes)"
        )


def checked_betas(values: object) -> tuple[float, ...]:
    """The β of each level, of a list of them. Raises BadField."""
    if not isinstance(values, list):
        raise BadField(f"model file: betas must be a list, found {values!r}")
    return tuple(_checked_beta(value) for value in values)


def _checked_beta(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadField(f"model file: β of a level must be a number, found {value!r}")
    if not 0 <= value < math.inf or (isinstance(value, int) and value > MAX_JSON_INTEGER):
        raise BadField(f"model file: β of a level must be finite and at least 0, found {value!r}")
    return float(value)


def check_default_level(encode: dict[str, Any], levels: int) -> None:
    """Raises BadField: it is there only where it says something, and level 0 is what an encoder takes without it."""
    if "default_level" in encode:
        level = encode["default_level"]
        if type(level) is not int or not 1 <= level < levels:
            raise BadField(f"model file: default level {level!r} of {levels}; level 0 is not written")


class Named(Protocol):
    """What check_names looks at."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...


class Headed(Named, Protocol):
    """What check_header looks at."""

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def channels(self) -> int: ...


def check_names(part: Named) -> None:
    """Raises BadField."""
    if not (isinstance(part.name, str) and isinstance(part.family, str)):
        raise BadField("model file: name and family must be strings")


def check_header(part: Headed) -> None:
    """What can be checked without the sections. Raises BadField."""
    check_names(part)
    for side in (part.height, part.width):
        if type(side) is not int or not 1 <= side <= MAX_MODEL_SIDE:
            raise BadField(f"model file: geometry {part.height!r}x{part.width!r} is not in 1..{MAX_MODEL_SIDE}")
    if type(part.channels) is not int or part.channels not in CHANNELS:
        raise BadField(f"model file: channels {part.channels!r}, expected 1 (grey) or 3 (RGB)")
