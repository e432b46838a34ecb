"""What is asked of the flagships, as data, and whether measured points keep it. Pure.

points of one effort --judge--> [Verdict]          each says by how much it is missed

A size is judged at a real level: the cheapest one whose PSNR is at or above the bar's, nothing between two levels.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.measuring.measure import LevelPoint
from vaecodec.evaluation.bd import bd_rate
from vaecodec.evaluation.rd import RateCurve


@dataclass(frozen=True, slots=True)
class SizeBar:
    """At least so many dB, from the mean MSE, for at most so many bytes of file in the mean."""

    psnr_db: float
    most_bytes: float


@dataclass(frozen=True, slots=True)
class RateBar:
    """BD-rate against a codec over a range of PSNR, which the curve must span; at most so many per cent."""

    codec: str
    low_db: float
    high_db: float
    most_per_cent: float


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one data set."""

    sizes: tuple[SizeBar, ...]
    rates: tuple[RateBar, ...] = ()


BARS = {
    "mnist": Bars(
        sizes=(SizeBar(20, 17.5), SizeBar(22.8, 22), SizeBar(26, 32), SizeBar(31.3, 82)),
        rates=(RateBar("WebP", 22.8, 34.9, -50),),
    ),
    "dsprites": Bars(sizes=(SizeBar(30, 14), SizeBar(36, 16))),
}


@dataclass(frozen=True, slots=True)
class SizeVerdict:
    """level, psnr_db, file_bytes: of the level that a size is judged at; None where none is good enough.

    Where the lossless files are judged, there is no level and no PSNR.
    """

    bar: SizeBar
    level: int | None
    psnr_db: float | None
    file_bytes: float | None

    @property
    def missed_by_bytes(self) -> float | None:
        """Bytes above the bar, 0 where it holds; None where no level has the PSNR."""
        return None if self.file_bytes is None else max(0.0, self.file_bytes - self.bar.most_bytes)

    @property
    def holds(self) -> bool:
        """The PSNR is there, for no more than the bar's bytes."""
        return self.missed_by_bytes == 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "missed_by_bytes": self.missed_by_bytes, "holds": self.holds}


@dataclass(frozen=True, slots=True)
class RateVerdict:
    """psnr_db: our lowest and highest. per_cent: over the whole range; None where that is not spanned, or no curve of
    the codec is stored."""

    bar: RateBar
    psnr_db: tuple[float, float]
    per_cent: float | None

    @property
    def spans(self) -> bool:
        """Our curve covers the whole range."""
        return self.psnr_db[0] <= self.bar.low_db and self.psnr_db[1] >= self.bar.high_db

    @property
    def missed_by_per_cent(self) -> float | None:
        """Points above the bar, 0 where it holds; None where there is no rate."""
        return None if self.per_cent is None else max(0.0, self.per_cent - self.bar.most_per_cent)

    @property
    def holds(self) -> bool:
        """The range is spanned, and the rate at most the bar's."""
        return self.missed_by_per_cent == 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "spans": self.spans, "missed_by_per_cent": self.missed_by_per_cent, "holds": self.holds}


def cheapest_at(psnr_db: float, points: Sequence[LevelPoint]) -> LevelPoint | None:
    """The point of fewest bytes whose PSNR is at least this; exact images are good enough for anything."""
    enough = [one for one in points if one.point.psnr_db is None or one.point.psnr_db >= psnr_db]
    return min(enough, key=lambda one: one.point.file_bytes, default=None)


def judge_size(bar: SizeBar, points: Sequence[LevelPoint], lossless_bytes: float | None = None) -> SizeVerdict:
    """One bar at the level that has its PSNR for the fewest bytes, or at lossless files, where these have fewer."""
    found = cheapest_at(bar.psnr_db, points)
    if lossless_bytes is not None and (found is None or lossless_bytes <= found.point.file_bytes):
        return SizeVerdict(bar, None, None, lossless_bytes)
    if found is None:
        return SizeVerdict(bar, None, None, None)
    return SizeVerdict(bar, found.level, found.point.psnr_db, found.point.file_bytes)


def judge_rate(bar: RateBar, ours: RateCurve, rival: RateCurve | None) -> RateVerdict:
    """One bar against the curve of its codec, where there is one.

    Raises ValueError where the rival's curve does not span the range.
    """
    reached = [point.psnr_db for point in ours.points if point.psnr_db is not None]
    verdict = RateVerdict(bar, (min(reached, default=0.0), max(reached, default=0.0)), None)
    if rival is None or not verdict.spans:
        return verdict
    return replace(verdict, per_cent=bd_rate(rival, ours, between_db=(bar.low_db, bar.high_db)))


def describe_size(verdict: SizeVerdict) -> str:
    """One line for a terminal."""
    asked = f"{verdict.bar.psnr_db:g} dB for at most {verdict.bar.most_bytes:g} bytes"
    if verdict.file_bytes is None:
        return f"{asked}: MISSED, no level has the PSNR"
    psnr = "exact" if verdict.psnr_db is None else f"{verdict.psnr_db:.2f} dB"
    where = "lossless" if verdict.level is None else f"level {verdict.level}"
    told = "holds" if verdict.holds else f"MISSED by {verdict.missed_by_bytes:.2f} bytes"
    return f"{asked}: {verdict.file_bytes:.2f} at {psnr} ({where}): {told}"


def describe_rate(verdict: RateVerdict) -> str:
    """One line for a terminal."""
    bar = verdict.bar
    asked = f"BD-rate against {bar.codec} over {bar.low_db:g} to {bar.high_db:g} dB at most {bar.most_per_cent:g} %"
    if not verdict.spans:
        return f"{asked}: MISSED, the curve has {verdict.psnr_db[0]:.2f} to {verdict.psnr_db[1]:.2f} dB"
    if verdict.per_cent is None:
        return f"{asked}: MISSED, no curve of {bar.codec} is stored of these images"
    told = "holds" if verdict.holds else f"MISSED by {verdict.missed_by_per_cent:.2f} points"
    return f"{asked}: {verdict.per_cent:.2f} %: {told}"
