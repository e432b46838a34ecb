"""Python environments that hold chosen packages, and an emulated aarch64 machine, for what must be the same everywhere.

    folder/NAME/bin/python     made by venv and pip, once
    folder/aarch64/            Debian's arm64 Python and the wheels of that machine, run by qemu-aarch64-static

An environment's packages are those of the ordinary clients, pip and apt-get, as these are set up; nothing is installed
into the machine.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

EMULATOR = "qemu-aarch64-static"
ARM_PYTHON = "3.11"  # of Debian 12
ARM_PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64")
WHAT_DECODING_NEEDS = ("pillow", "platformdirs")
DONE = ".done"


class NotHere(Exception):
    """This machine has not what is needed, and why."""


def environment(folder: Path, packages: Sequence[str], python: str = sys.executable) -> str:
    """The Python of an environment with these packages, made where it is not there. Raises NotHere."""
    interpreter = folder / "bin" / "python"
    if not (folder / DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run([python, "-m", "venv", str(folder)])
        _run([str(interpreter), "-m", "pip", "install", "--quiet", *packages])
        (folder / DONE).touch()
    return str(interpreter)


def emulated_aarch64(folder: Path, numpy: str) -> tuple[list[str], Path]:
    """(the command that runs Python there, the folder that its imports need), made where it is not there.

    Raises NotHere.
    """
    if shutil.which(EMULATOR) is None:
        raise NotHere(f"{EMULATOR} is not installed (Debian: qemu-user-static)")
    root, site = folder / "root", folder / "site"
    if not (folder / DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        _debian_packages(folder, root)
        wheels = folder / "wheels"
        of_platform = [word for name in ARM_PLATFORMS for word in ("--platform", name)]
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--python-version", ARM_PYTHON, *of_platform]
        wanted = [numpy, *WHAT_DECODING_NEEDS]
        _run([sys.executable, "-m", "pip", "download", "--dest", str(wheels), *options, *wanted])
        for path in wheels.glob("*.whl"):
            zipfile.ZipFile(path).extractall(site)
        (folder / DONE).touch()
    return [EMULATOR, "-L", str(root), str(root / "usr" / "bin" / f"python{ARM_PYTHON}")], site


def _debian_packages(folder: Path, root: Path) -> None:
    """Python and what it needs, unpacked; apt-get keeps its lists of that machine below the folder."""
    state, cache = folder / "state", folder / "cache"
    for path in (state / "lists" / "partial", cache / "archives" / "partial"):
        path.mkdir(parents=True)
    (state / "status").touch()
    options = [
        *("APT::Architecture=arm64", "APT::Architectures=arm64", "APT::Install-Recommends=false"),
        *(f"Dir::State={state}", f"Dir::State::status={state / 'status'}", f"Dir::Cache={cache}"),
    ]
    command = ["apt-get", *(word for option in options for word in ("-o", option))]
    _run([*command, "update"])
    _run([*command, "install", "--yes", "--download-only", f"python{ARM_PYTHON}", "libstdc++6", "libgomp1"])
    for path in sorted((cache / "archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(path), str(root)])
    for name in ("bin", "lib", "sbin"):
        if not (root / name).exists():
            os.symlink(f"usr/{name}", root / name)


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except OSError as error:
        raise NotHere(f"{command[0]}: {error}") from error
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or [""]
        raise NotHere(f"{' '.join(command[:4])} …: {last[0]}") from error
