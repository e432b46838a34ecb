"""Rate control: the level for a quality, a β, a size or a distortion.

quality 0..100 ─┐
beta ───────────┼──> level                                   nothing is tried
max_error ──────┼──> no level: lossless, or each pixel within so much
target_bytes ───┼──> the finest level that fits      ┐ bisection over the levels, image by image, but each round's
max_mse, psnr ──┘──> the coarsest one that is enough ┘ evaluations are batched by level

With effort refined streams (refine.py) are sought as well as plain ones, and the better of the two is taken: refining
gives a little of the one for more of the other, rate or distortion, and may miss a target that plain streams meet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_ERROR
from vaecodec.codec.bisection import finest
from vaecodec.errors import ConfigError, TargetMissed

if TYPE_CHECKING:
    from vaecodec.codec.codec import Codec
    from vaecodec.modelfile.model import Model

Pixels = npt.NDArray[np.uint8]

MAX_EFFORT = 2  # refine.py says what each is
PEAK = 255
QUALITY_TOP = 100  # lossless where the model can, else the finest level
MAX_PSNR_DB = 200  # far beyond one wrong grey level in any image
SMALLEST_BETA = 1e-12  # a model may have been trained with β = 0


@dataclass(frozen=True, slots=True)
class Target:
    """At most one of these, and an effort; none means the model's default level.

    level: 0 is the coarsest. quality: 0..100, from the coarsest level to the finest. beta: the nearest level's (on a
    logarithmic scale). target_bytes: size of the stream, never exceeded. target_psnr: in dB, of the decoded image,
    reached. max_mse: mean squared error of the decoded image in squared grey levels, not exceeded. max_error: of every
    pixel in grey levels, not exceeded; 0 is lossless, and needs a model with a lossless part. effort: 0..2, time spent
    on better streams of the same levels, which changes no exact ones. Raises ConfigError.
    """

    level: int | None = None
    quality: float | None = None
    beta: float | None = None
    target_bytes: int | None = None
    target_psnr: float | None = None
    max_mse: float | None = None
    max_error: int | None = None
    effort: int = 0

    def __post_init__(self) -> None:
        given = [name for name in AIMS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ConfigError(f"{' and '.join(given)}: give one of them")
        if self.quality is not None and not 0 <= self.quality <= QUALITY_TOP:
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
        if not 0 <= self.effort <= MAX_EFFORT:
            raise ConfigError(f"effort: expected 0..{MAX_EFFORT}, found {self.effort}")

    @property
    def exact(self) -> bool:
        """Whether it takes a lossless part: at quality 100 where there is one, at a max_error always."""
        return self.max_error is not None or self.quality == QUALITY_TOP

    @property
    def largest_mse(self) -> float | None:
        """The bound on the mean squared error that max_mse or target_psnr sets."""
        if self.target_psnr is not None:
            return float(PEAK**2 / 10 ** (self.target_psnr / 10))
        return self.max_mse


AIMS = tuple(field.name for field in fields(Target) if field.name != "effort")  # at most one of them is given


def one_target(level: int | None, effort: int, target: Target | None) -> Target:
    """What all say together. Raises ConfigError where a target is given besides a level or an effort."""
    if target is not None and (level is not None or effort):
        raise ConfigError(f"{'effort' if level is None else 'level'} and target: give one of them")
    return target or Target(level, effort=effort)


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """How an image is coded with loss."""

    level: int
    effort: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """The setting for one image and whether it meets the target; else it is about the nearest that there is."""

    setting: Setting
    meets: bool


def settings_for(codec: Codec, images: Sequence[Pixels], target: Target) -> list[Setting]:
    """The setting of each image (h, w).

    Raises TargetMissed at the first image whose target no level meets: its message says the best that there is.
    """
    found = find_settings(codec, images, target)
    for k, one in enumerate(found):
        if not one.meets:
            raise missed(codec, images[k], target, one.setting)
    return [one.setting for one in found]


def find_settings(codec: Codec, images: Sequence[Pixels], target: Target) -> list[Found]:
    """What there is for each image (h, w), met or not."""
    fixed = fixed_level(codec.model, target)
    if fixed is not None:
        return [Found(Setting(fixed, target.effort), True)] * len(images)
    found = [Found(Setting(0), False)] * len(images)
    for shape in {image.shape for image in images}:
        places = [k for k, image in enumerate(images) if image.shape == shape]
        for k, one in zip(places, search(codec, np.stack([images[k] for k in places]), target), strict=True):
            found[k] = one
    return found


def search(codec: Codec, images: Pixels, target: Target) -> list[Found]:
    """What there is for each image (b, h, w) of one size, met or not; with effort never worse than without."""
    plain = _search(codec, images, target, 0)
    if not target.effort:
        return plain
    refined = _search(codec, images, target, target.effort)
    both = [k for k in range(len(images)) if plain[k].meets and refined[k].meets]
    better = [refined[k] if refined[k].meets else plain[k] for k in range(len(images))]
    costs = [_costs(codec, images[both], [found[k].setting for k in both], target) for found in (plain, refined)]
    for k, without, with_effort in zip(both, *costs, strict=True):
        better[k] = plain[k] if without < with_effort else refined[k]
    return better


def _costs(codec: Codec, images: Pixels, settings: list[Setting], target: Target) -> list[tuple[float, float]]:
    """Bytes and mean squared error of each image (b, h, w), what the target leaves free first."""
    streams = codec.compress_at(list(images), settings)
    errors = [_mse(image, one) for image, one in zip(codec.decompress_batch(streams), images, strict=True)]
    pairs = zip(map(len, streams), errors, strict=True)
    return [(error, size) if target.target_bytes is not None else (size, error) for size, error in pairs]


def _mse(decoded: Pixels, image: Pixels) -> float:
    return float(np.square(decoded.astype(np.float64) - image).mean())


def _search(codec: Codec, images: Pixels, target: Target, effort: int) -> list[Found]:
    if target.target_bytes is not None:
        return search_bytes(codec, images, target.target_bytes, effort)
    assert target.largest_mse is not None
    return search_mse(codec, images, target.largest_mse, effort)


def missed(codec: Codec, image: Pixels, target: Target, nearest: Setting) -> TargetMissed:
    """The error for an image whose target no level meets."""
    settings = sorted({nearest, Setting(nearest.level, target.effort)})
    streams = codec.compress_at([image] * len(settings), settings)
    if target.target_bytes is not None:
        return TargetMissed(
            f"target of {target.target_bytes} bytes: {codec.model.name} needs {min(map(len, streams))} for this image"
        )
    error = min(_mse(decoded, image) for decoded in codec.decompress_batch(streams))
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


def search_bytes(codec: Codec, images: Pixels, most: int, effort: int = 0) -> list[Found]:
    """For each image (b, h, w) the finest level whose stream has at most `most` bytes."""

    def fits(places: npt.NDArray[np.int64], level: int) -> npt.NDArray[np.bool_]:
        streams = codec.compress_at(list(images[places]), [Setting(level, effort)] * len(places))
        return np.array([len(data) <= most for data in streams])

    levels = finest(len(images), len(codec.model.levels), fits).tolist()
    return [Found(Setting(max(level, 0), effort), level >= 0) for level in levels]


def search_mse(codec: Codec, images: Pixels, largest: float, effort: int = 0) -> list[Found]:
    """For each image (b, h, w) the coarsest level whose decoded image has at most this mean squared error."""
    last = len(codec.model.levels) - 1

    def is_enough(places: npt.NDArray[np.int64], mirrored: int) -> npt.NDArray[np.bool_]:
        chosen, setting = images[places], Setting(last - mirrored, effort)
        decoded = np.stack(codec.decompress_batch(codec.compress_at(list(chosen), [setting] * len(places))))
        error = np.square(decoded.astype(np.float64) - chosen).mean(axis=(1, 2))
        return np.asarray(error <= largest)

    mirrored = finest(len(images), last + 1, is_enough).tolist()
    return [Found(Setting(last - max(number, 0), effort), number >= 0) for number in mirrored]
