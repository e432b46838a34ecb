"""Golden files are written once: what is there may be compared, and never changed."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LIST = "SHA256SUMS"  # of a folder's files, as sha256sum -c reads it


def write(path: Path, data: bytes) -> None:
    """Write a new golden file; one that is there must hold these bytes. Raises SystemExit."""
    if path.exists():
        _compare(path, path.read_bytes() == data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    print(f"new: {path}: add it to the list with `python tests/golden/frozen.py`")


def write_arrays(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """As write(), of a compressed .npz; one that is there must hold these arrays. Raises SystemExit."""
    if path.exists():
        with np.load(path) as held:
            same = set(held) == set(arrays) and all(np.array_equal(held[name], arrays[name]) for name in arrays)
        _compare(path, same)
        return
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    write(path, packed.getvalue())


def _compare(path: Path, is_same: bool) -> None:
    if not is_same:
        raise SystemExit(f"{path} is frozen, and would be written with other content")


def listed(folder: Path) -> dict[str, str]:
    """The SHA-256 that the folder's list has for each file, by its path within the folder."""
    lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def found(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that is there."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != LIST]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def main() -> None:
    """Add files that are new to the lists. Raises SystemExit where a listed one was changed or is gone."""
    for folder in (Path(__file__).resolve().parent / name for name in ("v1", "v2", "v3")):
        before, now = listed(folder) if (folder / LIST).exists() else {}, found(folder)
        changed = sorted(name for name, digest in before.items() if now.get(name) != digest)
        if changed:
            raise SystemExit(f"{folder}: frozen files were changed or are gone: {', '.join(changed)}")
        (folder / LIST).write_text("".join(f"{now[name]}  {name}\n" for name in sorted(now)), encoding="utf-8")


if __name__ == "__main__":
    main()
