"""What compressing aims at, and how one image is coded: data. codec/search.py finds the one for the other.

quality 0..100 ─┐
beta ───────────┼──> level: nothing is tried
max_error ──────┼──> no level: lossless, or each pixel within so much
target_bytes ───┼──> the finest level that fits      ┐ searched, image by image
max_mse, psnr ──┘──> the coarsest one that is enough ┘
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Protocol

from vaecodec.bitstream.limits import MAX_ERROR
from vaecodec.codec.quality import PEAK
from vaecodec.errors import ConfigError

if TYPE_CHECKING:
    from vaecodec.modelfile.model import Model

MAX_EFFORT = 2  # effort.py says what each is
QUALITY_TOP = 100  # lossless where the model can, else the finest level
MAX_PSNR_DB = 200  # far beyond one wrong grey level in any image
SMALLEST_BETA = 1e-12  # a model may have been trained with β = 0


class Levelled(Protocol):
    """A model of several levels. betas: of each, coarsest first. default_level: what is taken without a wish."""

    @property
    def betas(self) -> tuple[float, ...]: ...
    @property
    def default_level(self) -> int: ...


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """How an image is coded with loss."""

    level: int
    effort: int = 0


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
        for field in fields(self):
            object.__setattr__(self, field.name, _plain_number(field.name, getattr(self, field.name)))
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

    def exact_error(self, model: Model) -> int | None:
        """The largest error that a model's lossless part is asked for, 0 for lossless; None where it is not asked."""
        if self.max_error is not None:
            return self.max_error
        if not model.has_lossless:
            return None
        needs_level = self.level is not None or self.quality is not None or self.beta is not None
        return 0 if self.quality == QUALITY_TOP or not (model.levels or needs_level) else None

    def fixed_level(self, model: Levelled) -> int | None:
        """A model's level where it needs no search; None where it does."""
        if self.level is not None:
            return self.level
        if self.quality is not None:
            return round(self.quality / QUALITY_TOP * max(len(model.betas) - 1, 0))
        if self.beta is not None:
            distances = [abs(math.log(self.beta / max(beta, SMALLEST_BETA))) for beta in model.betas]
            return distances.index(min(distances)) if distances else 0
        if self.target_bytes is None and self.largest_mse is None:
            return model.default_level
        return None


WHOLE = ("level", "target_bytes", "max_error", "effort")


def _plain_number(name: str, value: Any) -> int | float | None:
    """Python's own number for any kind of number, numpy's too. Raises ConfigError for whatever is none."""
    if value is None and name != "effort":
        return None
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if is_number and name not in WHOLE:
        return float(value)
    if is_number and (isinstance(value, Integral) or float(value).is_integer()):
        return int(value)
    raise ConfigError(f"{name}: expected a {'whole ' * (name in WHOLE)}number, found {value!r}")


AIMS = tuple(field.name for field in fields(Target) if field.name != "effort")  # at most one of them is given


def one_target(level: int | None, effort: int, target: Target | None) -> Target:
    """What all say together. Raises ConfigError where a target is given besides a level or an effort, or is none."""
    if target is not None and not isinstance(target, Target):
        raise ConfigError(f"target: expected a Target, found {type(target).__name__}")
    if target is not None and (level is not None or effort):
        raise ConfigError(f"{'effort' if level is None else 'level'} and target: give one of them")
    return target or Target(level, effort=effort)
