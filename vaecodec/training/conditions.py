"""Conditions: what besides the config decides a run's next step, and so must be the same when the run goes on.

The same config on other images, in another precision, on another kind of device or shared out among another number of
processes is another run, whose metrics and weights must not be mixed with the first one's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from accelerate import Accelerator


@dataclass(frozen=True, slots=True)
class Conditions:
    """training_sha256: of the training images' pixels; device: its kind, "cpu" or "cuda"; processes: how many."""

    training_sha256: str
    mixed_precision: str
    device: str
    processes: int

    def to_dict(self) -> dict[str, Any]:
        """Strings and numbers."""
        return asdict(self)


def conditions_of(accelerator: Accelerator, images: npt.NDArray[np.uint8]) -> Conditions:
    """Those of this process; `images` is the training set, the same in every process."""
    return Conditions(
        training_sha256=hashlib.sha256(np.ascontiguousarray(images).data).hexdigest(),
        mixed_precision=str(accelerator.mixed_precision),
        device=str(accelerator.device.type),
        processes=int(accelerator.num_processes),
    )


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """What differs between two trees of plain values, each with its name and both values."""
    for name in [*stored, *(name for name in wanted if name not in stored)]:
        old, new = (tree.get(name, "nothing") for tree in (stored, wanted))
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, f"{where}{name}.")
        elif old != new:
            yield f"{where}{name}: {old}, now {new}"
