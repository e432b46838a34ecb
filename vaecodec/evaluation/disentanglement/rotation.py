"""The rotation null: what a metric says of the same code in ten other, random, coordinates.

codes (n, d) ──standardise──> ──random rotation──> (n, d)                     floats stay floats
symbols      ──standardise──> ──random rotation──> ──round, same cell size──> symbols

A VAE's bound is the same for all rotations of its latents (with an isotropic posterior its files nearly so), and no
single direction of a rotated code is meant to be anything. A metric of axes must therefore exceed these before it
says anything.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vaecodec.evaluation.disentanglement.information import Codes, Float64, as_codes, standardise
from vaecodec.evaluation.disentanglement.records import Interval, Measurement

ROTATIONS = 10


@dataclass(frozen=True, slots=True)
class Null:
    """One value's numbers in all rotations."""

    name: str
    numbers: tuple[float, ...]

    @property
    def range(self) -> Interval:
        """From the smallest to the largest."""
        return Interval(min(self.numbers), max(self.numbers))

    @property
    def mean(self) -> float:
        """Over the rotations."""
        return math.fsum(self.numbers) / len(self.numbers)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, its range beside the numbers."""
        return {"name": self.name, "numbers": list(self.numbers), "mean": self.mean, "range": asdict(self.range)}


def random_rotation(d: int, rng: np.random.Generator) -> Float64:
    """An orthogonal matrix (d, d), uniform by Haar's measure (Mezzadri 2007, section 5)."""
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    return np.asarray(q * np.sign(np.diagonal(r)))


def rotate(codes: Codes, rng: np.random.Generator) -> Codes:
    """The standardised codes (n, d) in random coordinates; symbols are rounded to cells of the volume they had."""
    kept = as_codes(codes)
    turned = standardise(kept) @ random_rotation(kept.shape[1], rng).T
    if kept.dtype.kind == "f":
        return turned
    step = math.exp(-float(np.log(kept.std(axis=0)).mean()))  # a symbol's step, 1 / deviation, by geometric mean
    return np.asarray(np.rint(turned / step), dtype=np.int64)


def rotation_null(
    measure: Callable[[Codes], Measurement], codes: Codes, *, rng: np.random.Generator, rotations: int = ROTATIONS
) -> tuple[Null, ...]:
    """The null of each value of a metric. measure: the metric without its bootstrap."""
    found = [measure(rotate(codes, rng)) for _ in range(rotations)]
    return tuple(Null(v.name, tuple(m.values[at].value for m in found)) for at, v in enumerate(found[0].values))
