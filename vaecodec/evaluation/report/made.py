"""What a report was made with: versions of what computed or drew something in it."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("vaecodec", "numpy", "constriction", "onnxruntime", "scikit-learn", "scipy", "matplotlib", "plotly")


def made() -> dict[str, str]:
    """For people: name → version, and the time."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | {"made": datetime.now(UTC).isoformat(timespec="minutes")}
