"""The same bytes and the same pixels by other numerical libraries, kernels, coders and machines: portability.json.

    make portability      (python -m benchmarks.portability [--only NAME ...] [--environments FOLDER] [--out FILE])

Every engine decodes all golden files of both versions of the format and streams of the released models, which are made
here; what golden symbols and pixels are encoded to is compared byte by byte. An engine is a fresh environment with a
numpy, a kernel of its OpenBLAS, the coder in pure Python, or an emulated aarch64 with Debian's Python, which has no
constriction either. One that cannot be had is named with the reason. Environments are kept in the folder.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import vaecodec
from benchmarks.measuring.environments import NotHere, emulated_aarch64, environment
from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from benchmarks.pages.page import read
from vaecodec.codec.images import read_grey

WORKER = "benchmarks.measuring.golden_worker"
PACKAGES = ("pillow", "platformdirs")
CODER = "constriction>=0.5,<0.6"
NUMPYS = {"numpy 1.26": "numpy==1.26.*", "numpy 2.0": "numpy==2.0.*", "newest numpy": "numpy"}
KERNELS = {"numpy 1.26": ("Prescott", "Haswell", "SkylakeX"), "newest numpy": ("Nehalem", "Haswell", "SkylakeX")}
EMULATED_EVERY = 8  # an emulated processor takes minutes for what another does in a second
LEVEL_SHARES = (0.0, 0.5, 1.0)  # of a model's levels: the coarsest, one between, the finest
CROP = (120, 200, 216, 272)  # of the photograph: left, upper, right, lower


@dataclass(frozen=True, slots=True)
class Engine:
    """command: of its Python, once called. kernel: what OpenBLAS is told to use; None leaves it the choice.

    every: only every so many photographs and streams are decoded.
    """

    name: str
    command: Callable[[], tuple[list[str], list[str]]]
    kernel: str | None = None
    every: int = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and store; 1 where something differs, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portability", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="engines whose names begin so")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-portability")
    parser.add_argument("--out", type=Path, default=RESULTS / "portability.json")
    options = parser.parse_args(arguments)
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="vaecodec-portability-") as place:
        write_streams(Path(place))
        for engine in engines(options.environments.resolve()):
            if options.only is None or engine.name.startswith(tuple(options.only)):
                rows[engine.name] = {"engine": engine.name, "every": engine.every, **decoded_by(engine, Path(place))}
                print(rows[engine.name], file=sys.stderr, flush=True)
    stored = read(options.out) or {"engines": []}
    every = {row["engine"]: row for row in stored["engines"]} | rows  # --only makes some of them anew
    engines_now = [every[engine.name] for engine in engines(options.environments) if engine.name in every]
    holds = all(not row["different"] for row in engines_now if "left_out" not in row)
    write_results(options.out, {"engines": engines_now, "holds": holds}, seed=None)
    print(options.out)
    return 0 if holds else 1


def engines(folder: Path) -> list[Engine]:
    """All of them; their environments are made when they are called."""

    def of_packages(name: str, *packages: str) -> Callable[[], tuple[list[str], list[str]]]:
        return lambda: ([environment(folder / name.replace(" ", "-"), [*PACKAGES, *packages])], [])

    def of_emulator() -> tuple[list[str], list[str]]:
        command, site = emulated_aarch64(folder / "aarch64", NUMPYS["numpy 1.26"])
        return command, [str(site)]

    found = [Engine("this environment", lambda: ([sys.executable], []))]
    for name, numpy in NUMPYS.items():
        command = of_packages(name, numpy, CODER)
        kernels = (None, *KERNELS.get(name, ()))
        found += [Engine(name if one is None else f"{name}, {one}", command, one) for one in kernels]
    found.append(Engine("pure Python coder", of_packages("pure Python coder", NUMPYS["newest numpy"])))
    found.append(Engine("aarch64, emulated", of_emulator, every=EMULATED_EVERY))
    return found


def decoded_by(engine: Engine, streams: Path) -> dict[str, Any]:
    """What the worker says there, or why it could not be run."""
    try:
        command, more = engine.command()
    except NotHere as error:
        return {"left_out": str(error)}
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *more]), "PYTHONDONTWRITEBYTECODE": "1"}
    environ.pop("OPENBLAS_CORETYPE", None)
    if engine.kernel is not None:
        environ["OPENBLAS_CORETYPE"] = engine.kernel
    done = subprocess.run(
        [*command, "-m", WORKER, str(streams), str(engine.every)],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"ended by signal {-done.returncode}"]
        return {"different": [last[0]], "comparisons": 0}
    found: dict[str, Any] = json.loads(done.stdout)
    if engine.kernel is not None and found["blas_kernel"].lower() != engine.kernel.lower():
        return {"left_out": f"OpenBLAS took {found['blas_kernel']} instead"}
    return found


def write_streams(folder: Path) -> None:
    """Streams of the released models, and the pixels that they decode to here."""
    digits = [read_grey(str(path)) for path in sorted((ROOT / "examples").glob("digit-*.png"))]
    sprites = [read_grey(str(path)) for path in sorted((ROOT / "examples").glob("*-scale*.png"))]
    with Image.open(ROOT / "examples" / "photograph-canyon-wren.png") as image:
        photographs = [np.asarray(image.convert("RGB").crop(CROP))]
    for name, images in {"mnist": digits, "dsprites": sprites, "photo": photographs}.items():
        codec = vaecodec.load(name)
        levels = {round(share * (len(codec.model.betas) - 1)) for share in LEVEL_SHARES}
        settings: list[dict[str, Any]] = [{"level": level} for level in sorted(levels)]
        settings += [{"lossless": True}] if isinstance(codec, vaecodec.Codec) and codec.model.has_lossless else []
        for place, pixels in enumerate(images):
            for setting in settings:
                said = "-".join(f"{key}-{value}" for key, value in setting.items())
                path = folder / f"{name}+{place}-{said}.vae"
                path.write_bytes(codec.compress(pixels, **setting))
                np.save(path.with_suffix(".npy"), codec.decompress(path.read_bytes()))


if __name__ == "__main__":
    sys.exit(main())
