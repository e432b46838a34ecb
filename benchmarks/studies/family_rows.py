"""A run of the families' sweep as it is stored: results/families/<name>.json.

origin (config, hashes of the pixels), provenance, measured <--read_row / to_dict--> JSON
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring.stored import Origin
from vaecodec.errors import ConfigError
from vaecodec.families import training_config


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """provenance: of this row. measured: what benchmarks.families says of the run."""

    origin: Origin
    provenance: Mapping[str, Any]
    measured: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The run's name."""
        return self.origin.config.name

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the provenance is written beside it (benchmarks.measuring.machine.write_results)."""
        return {"name": self.name, **self.measured, **self.origin.to_dict()}


def row_path(folder: Path, name: str) -> Path:
    """Where a run's row lies in a folder of results."""
    return folder / "families" / f"{name}.json"


def read_row(path: Path) -> FamilyRow | None:
    """The row in a file; None where there is none, or one whose config this release cannot read."""
    if not path.is_file():
        return None
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    try:
        config = training_config(measured.pop("config"))
        origin = Origin(config, measured.pop("training_sha256"), measured.pop("test_sha256"))
        return FamilyRow(origin, measured.pop("provenance"), measured)
    except (ConfigError, KeyError):
        return None


def read_rows(folder: Path) -> list[FamilyRow]:
    """Every row of a folder of results, by name."""
    found = (read_row(path) for path in sorted((folder / "families").glob("*.json")))
    return [row for row in found if row is not None]
