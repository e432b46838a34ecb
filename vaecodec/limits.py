"""What this program spends on one file, though its format may ask for more; lifted() is for files that are trusted.

The format's own limits, which every decoder has and nothing lifts, are in bitstream/limits.py and
bitstream/archive/limits.py. docs/security.md lists all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

from vaecodec.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of each. pixels: of one picture, height times width. bytes: of one array or file of a data set."""

    picture_pixels: int = 1 << 28  # of a file or a stream: 0.8 GB once it is pixels
    image_pixels: int = 1 << 24  # of an image file for a model of one geometry: far beyond any such model
    data_pixels: int = 1 << 26  # of an image file in a data set's folder
    data_bytes: int = 1 << 29  # the largest that is read whole, dSprites with packed pixels, has 377 MB
    phase_indices: int = 1 << 24  # logit indices of a phase, of all images of a block: 160 MB while they are made
    decode_bytes: int = 1 << 24  # of what a model file holds for decoding: four times that once it is float32
    graph_nodes: int = 4096  # of an analysis: the deepest one that there is has 311
    graph_numbers: int = 1 << 25  # of all tensors of an analysis, packed ones too: the largest has 11 million

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise ConfigError(f"limit {field.name}: expected a whole number above 0, found {value!r}")


_current = Limits()


def limits() -> Limits:
    """Those that hold in this process now."""
    return _current


def lift(**changes: int) -> None:
    """Set some of the limits of this process for good. Raises ConfigError for a name or a number that is none."""
    global _current
    unknown = sorted(set(changes) - {field.name for field in fields(Limits)})
    if unknown:
        there = ", ".join(field.name for field in fields(Limits))
        raise ConfigError(f"no limit {', '.join(unknown)}; there are: {there}")
    _current = replace(_current, **changes)


@contextmanager
def lifted(**changes: int) -> Iterator[Limits]:
    """Within it, this process has other limits: lifted(picture_pixels=2**30). Raises ConfigError as lift() does."""
    global _current
    before = _current
    lift(**changes)
    try:
        yield _current
    finally:
        _current = before
