"""The training record that travels in a model file: config, data, and the versions of what decides the result."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from vaecodec.data.image_set import ImageSet
from vaecodec.recipes.config import TrainingConfig

PACKAGES = ("vaecodec", "torch", "compressai", "numpy", "onnx", "onnxruntime")


def versions() -> dict[str, str]:
    """Package → version, and Python's; the machine's architecture too."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def training_record(config: TrainingConfig, training: ImageSet) -> dict[str, Any]:
    """Plain JSON: what JSON gives back equals it."""
    return {
        "config": _plain(config.to_dict()),
        "data": {"source": training.source, "images": len(training), "sha256": training.sha256},
        "versions": versions(),
    }


def _plain(value: Any) -> Any:
    """Tuples become lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
