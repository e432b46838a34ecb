"""The versions of everything that decides a training's result."""

from __future__ import annotations

import platform
from importlib.metadata import version

PACKAGES = ("vaecodec", "torch", "compressai", "numpy", "onnx", "onnxruntime")


def versions() -> dict[str, str]:
    """Package → version, and Python's; the machine's architecture too."""
    from importlib.metadata import PackageNotFoundError

    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
