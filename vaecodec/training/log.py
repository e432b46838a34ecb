"""What a run says while it trains: metrics.jsonl, one JSON object a line, and a progress bar on stderr."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vaecodec.codec.quality import psnr_db_from_mse
from vaecodec.files.outputs import replacing
from vaecodec.recipes.objective import Losses, Reached
from vaecodec.training.run_folder import METRICS

REDRAW_S = 0.1
LOG_INTERVAL_S = 30.0  # where stderr is a file: some lines in an hour, not thousands
STREAM_BYTES = 7.3  # of a stream beyond its information content, rounding to bytes included
BAR = "{percentage:3.0f}% |{bar:20}| {n_fmt}/{total_fmt} steps in {elapsed}, {remaining} left{postfix}"


def append_metrics(folder: Path, line: dict[str, Any]) -> None:
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
        bar_format=BAR,
    )


def points_of(reached: Sequence[Reached]) -> list[dict[str, float]]:
    """For metrics.jsonl: bytes that files would have, and PSNR from the mean MSE."""
    nat_bytes = 1 / (8 * math.log(2))
    return [
        {"file_bytes": point.rate_nats * nat_bytes + STREAM_BYTES, "psnr_db": psnr_db_from_mse(point.mse)}
        for point in reached
    ]


def said_of(points: Sequence[dict[str, float]], held_out: Losses) -> str:
    """What the bar says was reached: bytes and dB, or nats where the family cannot tell them yet."""
    if points:
        return ", ".join(f"{point['file_bytes']:.0f} B at {point['psnr_db']:.1f} dB" for point in points)
    rate_bits = float(held_out.rate_nats) / math.log(2)
    return f"rate {rate_bits:.1f} bits, distortion {float(held_out.distortion_nats):.1f} nats"
