"""Search: the level of each image for a size or a distortion, by bisection, each round's trials batched by level.

passes(images, level) ──> per image   below: passes      low ──────middle────── high      above: fails

target_bytes ──> the finest level that fits        max_mse, target_psnr ──> the coarsest level that is enough

With effort refined streams (effort.py) are sought as well as plain ones, and the better of the two is taken: refining
gives a little of the one for more of the other, rate or distortion, and may miss a target that plain streams meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.codec.quality import mse_of_each, psnr_db_from_mse
from vaecodec.codec.target import Setting, Target
from vaecodec.errors import TargetMissed

if TYPE_CHECKING:
    from vaecodec.codec.images import Framed
    from vaecodec.codec.lossy import LossyCodec

MAX_EVALUATIONS = 10  # trials of an image
Numbers = npt.NDArray[np.int64]
Test = Callable[[Numbers, int], npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Found:
    """The setting for one image and whether it meets the target; else it is about the nearest that there is."""

    setting: Setting
    meets: bool


def find_settings(codec: LossyCodec, images: Sequence[Framed], target: Target) -> list[Found]:
    """What there is for each image, met or not; with effort never worse than without."""
    fixed = target.fixed_level(codec.model)
    if fixed is not None:
        return [Found(Setting(fixed, target.effort), True)] * len(images)
    plain = _search(codec, images, target, 0)
    if not target.effort:
        return plain
    refined = _search(codec, images, target, target.effort)
    both = [k for k in range(len(images)) if plain[k].meets and refined[k].meets]
    better = [refined[k] if refined[k].meets else plain[k] for k in range(len(images))]
    chosen = [images[k] for k in both]
    costs = [_costs(codec, chosen, [found[k].setting for k in both], target) for found in (plain, refined)]
    for k, without, with_effort in zip(both, *costs, strict=True):
        better[k] = plain[k] if without < with_effort else refined[k]
    return better


def settings_met(codec: LossyCodec, images: Sequence[Framed], target: Target) -> list[Setting]:
    """The setting of each image.

    Raises TargetMissed at the first image whose target no level meets: its message says the best that there is.
    """
    found = find_settings(codec, images, target)
    for image, one in zip(images, found, strict=True):
        if not one.meets:
            raise missed(codec, image, target, one.setting)
    return [one.setting for one in found]


def missed(codec: LossyCodec, image: Framed, target: Target, nearest: Setting) -> TargetMissed:
    """The error for an image whose target no level meets."""
    settings = sorted({nearest, Setting(nearest.level, target.effort)})
    streams = codec.compress([image] * len(settings), settings)
    if target.target_bytes is not None:
        return TargetMissed(
            f"target of {target.target_bytes} bytes: {codec.model.name} needs {min(map(len, streams))} for this image"
        )
    error = min(_errors(codec, [image] * len(settings), streams).tolist())
    return TargetMissed(
        f"target of mean squared error {target.largest_mse:.6g}: the best that {codec.model.name} gives for this image "
        f"is {error:.6g}, {psnr_db_from_mse(error):.2f} dB"
    )


def search_bytes(codec: LossyCodec, images: Sequence[Framed], most: int, effort: int = 0) -> list[Found]:
    """For each image the finest level whose stream has at most `most` bytes."""

    def fits(places: Numbers, level: int) -> npt.NDArray[np.bool_]:
        streams = codec.compress([images[k] for k in places.tolist()], [Setting(level, effort)] * len(places))
        return np.array([len(data) <= most for data in streams])

    levels = finest(len(images), len(codec.model.levels), fits).tolist()
    return [Found(Setting(max(level, 0), effort), level >= 0) for level in levels]


def search_mse(codec: LossyCodec, images: Sequence[Framed], largest: float, effort: int = 0) -> list[Found]:
    """For each image the coarsest level whose decoded image has at most this mean squared error."""
    last = len(codec.model.levels) - 1

    def is_enough(places: Numbers, mirrored: int) -> npt.NDArray[np.bool_]:
        chosen, setting = [images[k] for k in places.tolist()], Setting(last - mirrored, effort)
        errors = _errors(codec, chosen, codec.compress(chosen, [setting] * len(places)))
        return np.asarray(errors <= largest)

    mirrored = finest(len(images), last + 1, is_enough).tolist()
    return [Found(Setting(last - max(number, 0), effort), number >= 0) for number in mirrored]


def finest(count: int, numbers: int, passes: Test, most: int = MAX_EVALUATIONS) -> Numbers:
    """For each of `count` images the highest of 0..numbers-1 at which it passes, -1 where there is none.

    passes(places, k) tests the images of these places at k, `most` times an image. Passing need not be quite monotonic:
    what is found has been seen to pass; and evaluations that bisection leaves over try the next higher numbers.
    """
    low = np.full(count, -1)  # the highest number that is known to pass; -1: none
    high = np.full(count, numbers)  # a number above it that is known, or assumed, to fail
    rounds = 0
    while rounds < most and (high - low > 1).any():
        middle = (low + high) // 2
        _test(np.flatnonzero(high - low > 1), middle, low, high, passes)
        rounds += 1
    beyond = low + 1
    while rounds < most:
        beyond = beyond + 1
        places = np.flatnonzero(beyond < numbers)
        if not len(places):
            break
        _test(places, beyond, low, high, passes)
        rounds += 1
    return low


def _test(places: Numbers, at: Numbers, low: Numbers, high: Numbers, passes: Test) -> None:
    """Test images `places`, each at its own number, one batch for each number; raise `low` or lower `high`."""
    for number in np.unique(at[places]):
        group = places[at[places] == number]
        good = passes(group, int(number))
        low[group[good]] = np.maximum(low[group[good]], number)
        high[group[~good]] = np.minimum(high[group[~good]], number)


def _search(codec: LossyCodec, images: Sequence[Framed], target: Target, effort: int) -> list[Found]:
    if target.target_bytes is not None:
        return search_bytes(codec, images, target.target_bytes, effort)
    assert target.largest_mse is not None
    return search_mse(codec, images, target.largest_mse, effort)


def _costs(
    codec: LossyCodec, images: Sequence[Framed], settings: list[Setting], target: Target
) -> list[tuple[float, float]]:
    """Bytes and mean squared error of each image, what the target leaves free first."""
    streams = codec.compress(images, settings)
    pairs = zip(map(len, streams), _errors(codec, images, streams).tolist(), strict=True)
    return [(error, size) if target.target_bytes is not None else (size, error) for size, error in pairs]


def _errors(codec: LossyCodec, images: Sequence[Framed], streams: Sequence[bytes]) -> npt.NDArray[np.float64]:
    """The mean squared error of each image's stream: (b,)."""
    return mse_of_each(codec.decompress(streams), [image.pixels for image in images])
