"""What a run says while it trains: metrics.jsonl, one JSON object a line, and a progress bar on stderr."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vaecodec.files.outputs import replacing
from vaecodec.training.run_folder import METRICS

REDRAW_S = 0.1
LOG_INTERVAL_S = 30.0  # where stderr is a file: some lines in an hour, not thousands


def append_metrics(folder: Path, line: dict[str, float]) -> None:
    """Add a line, and see it to the disk."""
    with open(folder / METRICS, "a") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def keep_metrics_until(folder: Path, step: int) -> None:
    """Drop the lines that stand after the checkpoint: the resumed run writes them again. A torn last line goes too."""
    path = folder / METRICS
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
    with replacing(path) as file:
        file.write("".join(line + "\n" for line in kept).encode())


def progress_bar(total: int, done: int, *, hidden: bool) -> Any:
    """On a terminal a bar that moves; into a file a line now and then."""
    interval_s = REDRAW_S if sys.stderr.isatty() else LOG_INTERVAL_S
    return tqdm(
        total=total,
        initial=done,
        disable=hidden,
        file=sys.stderr,
        unit="step",
        mininterval=interval_s,
        maxinterval=100 * interval_s,
    )
