"""Rows of a stored sweep, which stand in for runs that are not at hand: a run that was done is not repeated anywhere.

results/rate-distortion-<data>.json --read_rows--> SweepRow --its Origin is the one that is wanted--> used as it is
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring.checks import BetaPoint
from benchmarks.measuring.machine import provenance
from benchmarks.measuring.measure import ModelPoint
from vaecodec.errors import ConfigError
from vaecodec.families import training_config
from vaecodec.recipes.config import TrainingConfig

PROVENANCE = ("command", "time_utc", "git_commit", "git_changes")


@dataclass(frozen=True, slots=True)
class Origin:
    """What decides a row: the config of its run, and the hashes of the pixels it was trained and measured on."""

    config: TrainingConfig
    training_sha256: str
    test_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "config": self.config.to_dict(),
            "training_sha256": self.training_sha256,
            "test_sha256": self.test_sha256,
        }


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One β of a sweep as it is stored. provenance: of this row, which may be older than the file's own.

    measured: ModelPoint.to_dict(), or what came back from JSON.
    """

    origin: Origin
    provenance: Mapping[str, Any]
    measured: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.measured, **self.origin.to_dict(), "provenance": dict(self.provenance)}

    def for_check(self) -> BetaPoint:
        """What the check of neighbouring β looks at."""
        point = self.measured["point"]
        return BetaPoint(
            self.measured["beta"],
            point["file_bytes"],
            self.measured["distortion_nats"],
            point["mse"],
            self.measured["coded_latents"],
        )


def new_row(origin: Origin, point: ModelPoint) -> SweepRow:
    """The row of a run that was measured just now."""
    here = provenance(seed=origin.config.seed)
    return SweepRow(origin, {name: here[name] for name in PROVENANCE}, point.to_dict())


def read_rows(path: Path, key: str = "sweep") -> list[SweepRow]:
    """The rows under a key of a stored result that say what they were made of; none where there is no such file."""
    if not path.is_file():
        return []
    found = (_row(values) for values in json.loads(path.read_text(encoding="utf-8"))[key])
    return [row for row in found if row is not None]


def find_row(rows: Sequence[SweepRow], wanted: Origin) -> SweepRow | None:
    """The row of the same config and the same data; None where there is none."""
    return next((row for row in rows if row.origin == wanted), None)


def _row(values: Mapping[str, Any]) -> SweepRow | None:
    """None for a row that does not say all of its origin, or whose config this release cannot read."""
    measured = dict(values)
    try:
        config = training_config(measured.pop("config"))
        origin = Origin(config, measured.pop("training_sha256"), measured.pop("test_sha256"))
        return SweepRow(origin, measured.pop("provenance"), measured)
    except (ConfigError, KeyError):
        return None
