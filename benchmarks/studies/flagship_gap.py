"""How well a model generalises: each level on training and validation images beside the test images.

record zoo/NAME.json ──has the level──┐
training images, as many ──measured───┴─> Gap: bytes and PSNR of each set, extra bytes at the test images' PSNR
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring.images import evenly_spaced
from benchmarks.measuring.measure import LevelPoint, SetPoint, measure_set
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.evaluation.rd import bytes_at_psnr


@dataclass(frozen=True, slots=True)
class Gap:
    """One level. extra_bytes: what test images take more than training images at the same PSNR; None where no training
    level is as good."""

    level: int
    train: SetPoint
    validation: SetPoint
    test_bytes: float
    test_psnr_db: float | None
    extra_bytes: float | None
    from_record: bool

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure_gap(codec: Codec, path: Path, data: str, curve: Sequence[LevelPoint]) -> list[dict[str, Any]]:
    """The gap at each level of a curve of the test images; training images are as many, evenly spaced."""
    count = curve[0].point.images
    recorded = read_recorded(path, codec, count)
    training = evenly_spaced(load_dataset(data, "train").images, count)
    validation = evenly_spaced(load_dataset(data, "validation").images, count)
    sets = {}
    for one in curve:
        known = recorded.get(one.level)
        sets[one.level] = known or (measure_set(codec, training, one.level), measure_set(codec, validation, one.level))
        train = sets[one.level][0]
        print(f"level {one.level}, training: {train.file_bytes:.1f} B {train.psnr_db:.2f} dB", file=sys.stderr)
    of_training = [(train.psnr_db, train.file_bytes) for train, _ in sets.values()]
    return [
        Gap(
            level=one.level,
            train=sets[one.level][0],
            validation=sets[one.level][1],
            test_bytes=one.point.file_bytes,
            test_psnr_db=one.point.psnr_db,
            extra_bytes=extra_bytes(one, of_training),
            from_record=one.level in recorded,
        ).to_dict()
        for one in curve
    ]


def read_recorded(path: Path, codec: Codec, count: int) -> dict[int, tuple[SetPoint, SetPoint]]:
    """(training, validation) by level, of a record of this very model that was measured on as many training images."""
    record = path.with_suffix(".json")
    values = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    if values.get("fingerprint") != codec.fingerprint.hex():
        return {}
    rows: list[Mapping[str, Any]] = values.get("levels", [])
    return {
        row["level"]: (SetPoint(**row["train"]), SetPoint(**row["validation"]))
        for row in rows
        if row["train"]["images"] == count
    }


def extra_bytes(test: LevelPoint, of_training: Sequence[tuple[float, float]]) -> float | None:
    """Test bytes less those that the (PSNR, bytes) points of the training images have at its PSNR."""
    if test.point.psnr_db is None:
        return None
    try:
        trained_bytes, below = bytes_at_psnr(test.point.psnr_db, of_training)
    except ValueError:
        return None
    return None if below else test.point.file_bytes - trained_bytes
