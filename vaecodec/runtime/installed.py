"""Where models are found: the zoo in the package, then the user's model folder.

    name ──aliases.json──> revision ──> zoo/REVISION.vaem or MODELS/REVISION.vaem ──> Model
    stream's short fingerprint ──> every installed model whose fingerprint starts so

A released model file is never changed: an alias moves to a new revision. fingerprints are read from an index next to
the files where it is fresh, so that decoding does not read every model.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vaecodec.errors import ModelNotFound
from vaecodec.runtime.model_file import Model, read_model

SUFFIX = ".vaem"
MODELS_VARIABLE = "VAECODEC_MODELS"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model file on this machine. aliases: the names that stand for it."""

    name: str
    path: Path
    aliases: tuple[str, ...]


def zoo_folder() -> Path:
    """The model files that ship with the package."""
    return Path(__file__).parents[1] / "zoo"


def user_folder() -> Path:
    """$VAECODEC_MODELS, or the user's data folder."""
    if chosen := os.environ.get(MODELS_VARIABLE):
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("vaecodec") / "models"


def aliases() -> dict[str, str]:
    """Alias → revision."""
    table: dict[str, str] = json.loads((zoo_folder() / "aliases.json").read_text())
    return table


def installed_models() -> Iterator[InstalledModel]:
    """Every model file: the zoo's first, by name; a user's file cannot hide a released one."""
    names_of: dict[str, list[str]] = {}
    for alias, revision in aliases().items():
        names_of.setdefault(revision, []).append(alias)
    seen: set[str] = set()
    for folder in (zoo_folder(), user_folder()):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            if path.stem not in seen:
                seen.add(path.stem)
                yield InstalledModel(path.stem, path, tuple(names_of.get(path.stem, ())))


def find_model(name_or_path: str | os.PathLike[str]) -> Model:
    """By alias, revision, or path of a model file. Raises ModelNotFound, FormatError."""
    text = os.fspath(name_or_path)
    revision = aliases().get(text, text)
    for model in installed_models():
        if model.name == revision:
            return _read(model.path, model.path.stat().st_mtime_ns)
    path = Path(text)
    if path.is_file():
        return _read(path, path.stat().st_mtime_ns)
    raise ModelNotFound(f"no model {text!r}; there are: {_known_names()}; a path of a {SUFFIX} file works too")


def models_by_fingerprint(short: bytes) -> list[Model]:
    """Every installed model whose fingerprint starts with `short`; empty where there is none."""
    found = (_read(model.path, model.path.stat().st_mtime_ns) for model in installed_models())
    return [model for model in found if model.fingerprint.startswith(short)]


def models_for_geometry(height: int, width: int) -> list[InstalledModel]:
    """The aliased models that are made for images of this size."""
    return [m for m in installed_models() if m.aliases and _geometry(m.path) == (height, width)]


def _geometry(path: Path) -> tuple[int, int]:
    model = _read(path, path.stat().st_mtime_ns)
    return model.height, model.width


def _known_names() -> str:
    names = [name for model in installed_models() for name in (*model.aliases, model.name)]
    return ", ".join(names) if names else "none"


@lru_cache(maxsize=8)
def _read(path: Path, modified_ns: int) -> Model:
    """The model, read once for each version of the file."""
    return read_model(path)
