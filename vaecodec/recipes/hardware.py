"""Hardware: where a run is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hardware:
    """device: "cpu" or "auto" (what Accelerate finds); mixed_precision: "no", "bf16" or "fp16"."""

    device: str = "auto"
    mixed_precision: str = "no"
