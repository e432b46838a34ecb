"""What every stored result says about itself: command, machine, versions, seed, commit.

results (JSON values) --write_results--> file: {"provenance": {...}, ...results}
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parents[1]
ROOT = BENCHMARKS.parent
CONFIGS, RESULTS = BENCHMARKS / "configs", BENCHMARKS / "results"
PACKAGES = (
    "vaecodec",
    "numpy",
    "pillow",
    "pillow-jxl-plugin",
    "constriction",
    "onnxruntime",
    "torch",
    "compressai",
    "bjontegaard",
    "scikit-learn",
    "scipy",
)


def provenance(*, seed: int | None) -> dict[str, Any]:
    """A record for JSON; `seed` is None where nothing is random."""
    return {
        "command": " ".join(["python", "-m", _module(), *sys.argv[1:]]).replace(str(Path.home()), "~"),
        "time_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": _git("rev-parse", "HEAD"),
        "git_changes": bool(_git("status", "--porcelain", "--", "vaecodec", "benchmarks", "cli")),
        "seed": seed,
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        },
        "versions": {"python": platform.python_version(), **_versions()},
    }


def write_results(path: Path, results: Mapping[str, Any], *, seed: int | None) -> None:
    """Store results with their provenance, whole or not at all; numbers keep six significant digits."""
    write_json(path, {"provenance": provenance(seed=seed), **results})


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Store values, whole or not at all; numbers keep six significant digits."""
    text = json.dumps(_rounded(values), indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".partial")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value


def _module() -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec else Path(sys.argv[0]).name


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _git(*arguments: str) -> str | None:
    """What git says about this checkout; None where there is no git, no checkout or no commit."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
