"""The built wheel in an empty environment of each Python: results/installs.json.

    python -m benchmarks.installs [--pythons PATH ...] [--environments FOLDER] [--out FILE]

The wheel brings what it needs and nothing else; with it, and with every socket refused, a digit and a photograph are
compressed and decompressed, and an archive is made and read. A Python that is not there, or has no wheel of something,
is named with the reason.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.measuring.environments import NotHere, environment
from benchmarks.measuring.machine import RESULTS, ROOT, write_results

PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
NO_NETWORK = ROOT / "benchmarks" / "measuring" / "no_network.py"
DIGIT, PHOTOGRAPH = ROOT / "examples" / "digit-7.png", ROOT / "examples" / "photograph-canyon-wren.png"
TRAINING = frozenset({"torch", "torchvision", "compressai", "onnx", "accelerate"})
LARGEST_MEAN_ERROR = 16  # grey levels: of another picture it would be several times as much
SOURCES = ("vaecodec", "cli", "pyproject.toml", "README.md", "LICENSE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Install, run and store; 1 where something fails, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.installs", description=__doc__.partition("\n")[0])
    parser.add_argument("--pythons", nargs="+", default=list(PYTHONS), help="names or paths")
    parser.add_argument("--environments", type=Path, help="where they are made; default: a folder that goes again")
    parser.add_argument("--out", type=Path, default=RESULTS / "installs.json")
    options = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory(prefix="vaecodec-installs-") as place:
        wheel = built(Path(place))
        folder = (options.environments or Path(place)).resolve()
        for python in options.pythons:
            rows.append({"asked": Path(python).name, **installed(python, wheel, folder)})
            print(rows[-1], file=sys.stderr, flush=True)
        size_bytes = wheel.stat().st_size
    holds = all(row.get("works", True) for row in rows) and any("works" in row for row in rows)
    write_results(options.out, {"wheel_bytes": size_bytes, "pythons": rows, "holds": holds}, seed=None)
    print(options.out)
    return 0 if holds else 1


def built(place: Path) -> Path:
    """The wheel of this checkout."""
    source = place / "source"
    source.mkdir()
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    return wheel


def installed(python: str, wheel: Path, folder: Path) -> dict[str, Any]:
    """What one Python makes of the wheel, or why it could not be tried."""
    if shutil.which(python) is None:
        return {"left_out": "not on this machine"}
    try:
        interpreter = environment(folder / f"installed-{Path(python).name}", [str(wheel)], python)
    except NotHere as error:
        return {"left_out": str(error)}
    facts = "import json, platform, importlib.metadata as m; print(json.dumps([platform.python_version(), "
    facts += "{d.metadata['Name']: d.version for d in m.distributions()}]))"
    said = subprocess.run([interpreter, "-c", facts], check=True, capture_output=True, text=True)
    version, packages = json.loads(said.stdout)
    failure = round_trips(interpreter, folder)
    return {
        "python": version,
        "packages": {name: packages[name] for name in sorted(packages) if name not in ("pip", "setuptools")},
        "brings_training": sorted(TRAINING & packages.keys()),
        "failure": failure,
        "works": not failure and not TRAINING & packages.keys(),
    }


def round_trips(interpreter: str, folder: Path) -> str:
    """What goes wrong with the commands, without network; empty where nothing does."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        with Image.open(PHOTOGRAPH) as image:
            image.crop((100, 100, 164, 148)).save(place / "crop.png")
        commands = []
        for source, stream in ((DIGIT, "digit.vae"), (place / "crop.png", "crop.vae")):
            target = place / f"{stream}.png"
            commands += [["compress", str(source), str(place / stream)]]
            commands += [["decompress", str(place / stream), str(target)]]
        commands += [["archive", "create", str(place / "a.vaea"), str(DIGIT)]]
        commands += [["archive", "extract", str(place / "a.vaea"), str(place / "a.npz")]]
        (place / "commands.json").write_text(json.dumps(commands))
        command = [interpreter, "-I", str(NO_NETWORK), str(place / "commands.json")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=place, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        for source, stream in ((DIGIT, "digit.vae"), (place / "crop.png", "crop.vae")):
            before, after = (np.asarray(Image.open(path), np.int16) for path in (source, place / f"{stream}.png"))
            if before.shape != after.shape or np.abs(before - after).mean() > LARGEST_MEAN_ERROR:
                return f"{stream}: another picture"
    return ""


if __name__ == "__main__":
    sys.exit(main())
