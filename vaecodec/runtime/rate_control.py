"""Rate control: the level for a quality, a β, a size or a distortion.

quality 0..100 ─┐
beta ───────────┼──> level                                   nothing is tried
max_error ──────┼──> no level: lossless, or each pixel within so much
target_bytes ───┼──> the finest level that fits      ┐ bisection over the levels, image by image, but each round's
max_mse, psnr ──┘──> the coarsest one that is enough ┘ evaluations are batched by level
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_ERROR
from vaecodec.errors import ConfigError, TargetMissed

if TYPE_CHECKING:
    from vaecodec.runtime.codec import Codec
    from vaecodec.runtime.model_file import Model

MAX_EVALUATIONS = 10  # model evaluations of a search, for each image
PEAK = 255
QUALITY_TOP = 100  # lossless where the model can, else the finest level
MAX_PSNR_DB = 200  # far beyond one wrong grey level in any image
SMALLEST_BETA = 1e-12  # a model may have been trained with β = 0


@dataclass(frozen=True, slots=True)
class Target:
    """At most one of these; none means the model's default level.

    level: 0 is the coarsest. quality: 0..100, from the coarsest level to the finest. beta: the nearest level's (on a
    logarithmic scale). target_bytes: size of the stream, never exceeded. target_psnr: in dB, of the decoded image,
    reached. max_mse: mean squared error of the decoded image in squared grey levels, not exceeded. max_error: of every
    pixel in grey levels, not exceeded; 0 is lossless, and needs a model with a lossless part. Raises ConfigError.
    """

    level: int | None = None
    quality: float | None = None
    beta: float | None = None
    target_bytes: int | None = None
    target_psnr: float | None = None
    max_mse: float | None = None
    max_error: int | None = None

    def __post_init__(self) -> None:
        given = [name for name in self.__slots__ if getattr(self, name) is not None]
        if len(given) > 1:
            raise ConfigError(f"{' and '.join(given)}: give one of them")
        if self.quality is not None and not 0 <= self.quality <= 100:
            raise ConfigError(f"quality: expected 0..100, found {self.quality:g}")
        if self.beta is not None and not (math.isfinite(self.beta) and self.beta > 0):
            raise ConfigError(f"beta: expected a positive number, found {self.beta:g}")
        if self.target_bytes is not None and self.target_bytes < 1:
            raise ConfigError(f"target_bytes: expected at least 1, found {self.target_bytes}")
        if self.target_psnr is not None and not 0 <= self.target_psnr <= MAX_PSNR_DB:
            raise ConfigError(f"target_psnr: expected 0..{MAX_PSNR_DB} dB, found {self.target_psnr}")
        if self.max_mse is not None and not self.max_mse >= 0:
            raise ConfigError(f"max_mse: expected at least 0, found {self.max_mse}")
        if self.max_error is not None and not 0 <= self.max_error <= MAX_ERROR:
            raise ConfigError(f"max_error: expected 0..{MAX_ERROR}, found {self.max_error}")

    @property
    def largest_mse(self) -> float | None:
        """The bound on the mean squared error that max_mse or target_psnr sets."""
        if self.target_psnr is not None:
            return float(PEAK**2 / 10 ** (self.target_psnr / 10))
        return self.max_mse


@dataclass(frozen=True, slots=True)
class Found:
    """A level for one image and whether it meets the target; else it is the nearest that there is."""

    level: int
    meets: bool


def levels_for(codec: Codec, images: Sequence[npt.NDArray[np.uint8]], target: Target) -> list[int]:
    """The level of each image (h, w).

    Raises TargetMissed at the first image whose target no level meets: its message says the best that there is.
    """
    found = find_levels(codec, images, target)
    for k, one in enumerate(found):
        if not one.meets:
            raise missed(codec, images[k], target, one.level)
    return [one.level for one in found]


def find_levels(codec: Codec, images: Sequence[npt.NDArray[np.uint8]], target: Target) -> list[Found]:
    """What there is for each image (h, w), met or not."""
    fixed = fixed_level(codec.model, target)
    if fixed is not None:
        return [Found(fixed, True)] * len(images)
    found: list[Found] = [Found(0, False)] * len(images)
    for shape in {image.shape for image in images}:
        places = [k for k, image in enumerate(images) if image.shape == shape]
        for k, one in zip(places, search(codec, np.stack([images[k] for k in places]), target), strict=True):
            found[k] = one
    return found


def search(codec: Codec, images: npt.NDArray[np.uint8], target: Target) -> list[Found]:
    """What there is for each image (b, h, w) of one size, met or not."""
    if target.target_bytes is not None:
        return search_bytes(codec, images, target.target_bytes)
    assert target.largest_mse is not None
    return search_mse(codec, images, target.largest_mse)


def missed(codec: Codec, image: npt.NDArray[np.uint8], target: Target, level: int) -> TargetMissed:
    """The error for an image whose target no level meets; `level` comes nearest."""
    data = codec.compress_at([image], [level])[0]
    if target.target_bytes is not None:
        return TargetMissed(
            f"target of {target.target_bytes} bytes: {codec.model.name} needs {len(data)} for this image"
        )
    error = np.square(codec.decompress(data).astype(np.float64) - image).mean()
    psnr = 10 * math.log10(PEAK**2 / error) if error else math.inf
    return TargetMissed(
        f"target of mean squared error {target.largest_mse:.6g}: the best that {codec.model.name} gives for this image "
        f"is {error:.6g}, {psnr:.2f} dB"
    )


def exact_error(model: Model, target: Target) -> int | None:
    """The largest error of a target that the lossless part is asked for, 0 for lossless; None for the others."""
    if target.max_error is not None:
        return target.max_error
    if not model.has_lossless:
        return None
    needs_level = target.level is not None or target.quality is not None or target.beta is not None
    return 0 if target.quality == QUALITY_TOP or not (model.levels or needs_level) else None


def fixed_level(model: Model, target: Target) -> int | None:
    """The level of a target that needs no search; None for one that does."""
    if target.level is not None:
        return target.level
    if target.quality is not None:
        return round(target.quality / QUALITY_TOP * max(len(model.levels) - 1, 0))
    if target.beta is not None:
        distances = [abs(math.log(target.beta / max(level.beta, SMALLEST_BETA))) for level in model.levels]
        return int(np.argmin(distances)) if distances else 0
    if target.target_bytes is None and target.largest_mse is None:
        return model.default_level
    return None


def search_bytes(codec: Codec, images: npt.NDArray[np.uint8], most: int) -> list[Found]:
    """For each image (b, h, w) the finest level whose stream has at most `most` bytes."""

    def fits(places: npt.NDArray[np.int64], level: int) -> npt.NDArray[np.bool_]:
        streams = codec.compress_at(list(images[places]), [level] * len(places))
        return np.array([len(data) <= most for data in streams])

    return _finest(len(images), len(codec.model.levels), fits)


def search_mse(codec: Codec, images: npt.NDArray[np.uint8], largest: float) -> list[Found]:
    """For each image (b, h, w) the coarsest level whose decoded image has at most this mean squared error."""
    last = len(codec.model.levels) - 1

    def is_enough(places: npt.NDArray[np.int64], mirrored: int) -> npt.NDArray[np.bool_]:
        level = last - mirrored
        chosen = images[places]
        decoded = np.stack(codec.decompress_batch(codec.compress_at(list(chosen), [level] * len(places))))
        error = np.square(decoded.astype(np.float64) - chosen).mean(axis=(1, 2))
        return np.asarray(error <= largest)

    return [Found(last - found.level, found.meets) for found in _finest(len(images), last + 1, is_enough)]


Test = Callable[[npt.NDArray[np.int64], int], npt.NDArray[np.bool_]]


def _finest(count: int, levels: int, passes: Test) -> list[Found]:
    """For each of `count` images, by bisection, the highest number in 0..levels-1 at which it passes.

    passes(places, k) tests the images of these numbers at k. Passing need not be quite monotonic: what is found has
    been seen to pass; and evaluations that bisection leaves over try the next higher numbers.
    """
    low = np.full(count, -1)  # the highest number that is known to pass; -1: none
    high = np.full(count, levels)  # a number above it that is known, or assumed, to fail
    rounds = 0
    while rounds < MAX_EVALUATIONS and (high - low > 1).any():
        middle = (low + high) // 2
        _test(np.flatnonzero(high - low > 1), middle, low, high, passes)
        rounds += 1
    beyond = low + 1
    while rounds < MAX_EVALUATIONS:
        beyond = beyond + 1
        places = np.flatnonzero(beyond < levels)
        if not len(places):
            break
        _test(places, beyond, low, high, passes)
        rounds += 1
    return [Found(max(int(k), 0), bool(k >= 0)) for k in low]


def _test(
    places: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
    passes: Test,
) -> None:
    """Test images `places`, each at its own number, one batch for each number; raise `low` or lower `high`."""
    for number in np.unique(at[places]):
        group = places[at[places] == number]
        good = passes(group, int(number))
        low[group[good]] = np.maximum(low[group[good]], number)
        high[group[~good]] = np.minimum(high[group[~good]], number)
