"""Where models are found: the zoo in the package, then the user's model folder.

    name ──aliases.json──> revision ──> zoo/REVISION.vaem or MODELS/REVISION.vaem ──> Model
    stream's short fingerprint ──fingerprints.json, headers──> every installed model whose fingerprint starts so

Until version 1.0 the zoo holds the current models alone. From then on, what a released model decodes to is never
changed: an alias moves to a new revision, and the old one is stripped to its decoder (derived.py), whose fingerprint is
the same.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vaecodec.bitstream.limits import SHORT_FINGERPRINT_BYTES
from vaecodec.errors import FormatError, ModelNotFound, NotExact
from vaecodec.modelfile.model import Model, open_model_file
from vaecodec.modelfile.summary import Summary, read_summary

SUFFIX = ".vaem"
MODELS_VARIABLE = "VAECODEC_MODELS"
SETTLED_NS = 2_000_000_000  # a folder that changed later may change again within one tick of the file system's clock


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model file on this machine. aliases: the names that stand for it."""

    name: str
    path: Path
    aliases: tuple[str, ...]
    summary: Summary


@lru_cache(maxsize=1)
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
    return _zoo_table("aliases.json")


def recorded_fingerprints() -> dict[str, bytes]:
    """Fingerprints of the zoo's models by name, so that one can be found without reading the headers of all."""
    return {name: bytes.fromhex(digits) for name, digits in _zoo_table("fingerprints.json").items()}


def _zoo_table(name: str) -> dict[str, str]:
    """A table of the zoo; empty where the package lies in a zip file, whose model files cannot be opened by place."""
    path = zoo_folder() / name
    try:
        found = path.stat()
    except OSError:
        return {}
    return _table(path, found.st_mtime_ns, found.st_size)


def installed_models(short: bytes = b"") -> Iterator[InstalledModel]:
    """Every model file that can be read: the zoo's first, by name; a user's file cannot hide a released one.

    short: only those whose fingerprint starts so.
    """
    recorded = recorded_fingerprints() if short else {}
    names_of: dict[str, list[str]] = {}
    for alias, revision in aliases().items():
        names_of.setdefault(revision, []).append(alias)
    seen: set[str] = set()
    zoo = zoo_folder()
    for folder in (zoo, user_folder()):
        for name, path in model_files(folder):
            if name in seen:
                continue
            seen.add(name)
            if folder is zoo and not recorded.get(name, short).startswith(short):
                continue
            try:
                summary = summary_of(path)
            except (FormatError, OSError):
                continue  # one damaged file must not make the others unusable; naming it gives its error
            if summary.fingerprint.startswith(short):
                yield InstalledModel(name, path, tuple(names_of.get(name, ())), summary)


def model_files(folder: Path) -> tuple[tuple[str, Path], ...]:
    """The model files of a folder and their names, by path; listed once for each version of the folder."""
    try:
        modified_ns = folder.stat().st_mtime_ns
    except OSError:
        return ()
    listed = _listed_once if time.time_ns() - modified_ns > SETTLED_NS else _listed_once.__wrapped__
    return listed(folder, modified_ns)


def photograph_model() -> InstalledModel | None:
    """The photograph model that has an alias, else the first of the user's own that can compress; None without one."""
    found = [m for m in installed_models() if m.summary.is_photograph and m.summary.has_analysis]
    return min(found, key=lambda model: not model.aliases, default=None)


def summary_of(path: Path) -> Summary:
    """What the header of a model file says, read once for each version of it. Raises OSError, FormatError."""
    return _summary(path, path.stat().st_mtime_ns)


def find_model(name_or_path: str | os.PathLike[str]) -> Model:
    """By alias, revision, or path of a model file. Raises ModelNotFound, FormatError."""
    return read_installed(model_path(name_or_path))


def is_installed(path: Path) -> bool:
    """Whether a model file can be found by its name alone."""
    return path.parent in (zoo_folder(), user_folder())


def model_path(name_or_path: str | os.PathLike[str]) -> Path:
    """The file of an alias, a revision or a path. Raises ModelNotFound."""
    text = os.fspath(name_or_path)
    file_name = f"{aliases().get(text, text)}{SUFFIX}"
    plain = os.sep not in file_name and "/" not in file_name
    candidates = [folder / file_name for folder in (zoo_folder(), user_folder())] if plain else []
    for path in (*candidates, Path(text)):
        if path.is_file():
            return path
    raise ModelNotFound(f"no model {text!r}; there are: {_known_names()}; a path of a {SUFFIX} file works too")


def models_by_fingerprint(short: bytes) -> list[Model]:
    """Every installed model of one geometry whose fingerprint starts with `short`; empty where there is none.

    A file that is damaged behind its header does not hide the others; where no other is left, its error is raised.
    """
    found, errors = [], []
    for installed in installed_models(short):
        if installed.summary.is_photograph:
            continue
        try:
            found.append(read_installed(installed.path))
        except (FormatError, NotExact, OSError) as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    return found


def model_by_fingerprint(fingerprint: bytes) -> Model | None:
    """The installed model of one geometry that has a whole fingerprint, or None. Raises as models_by_fingerprint()."""
    models = models_by_fingerprint(fingerprint[:SHORT_FINGERPRINT_BYTES])
    return next((model for model in models if model.fingerprint == fingerprint), None)


def models_for_geometry(height: int, width: int, *, channels: int = 1, exact: bool = False) -> list[InstalledModel]:
    """The aliased models that are made for such images, those first that code them exactly, or with loss."""
    found = [m for m in installed_models() if m.aliases]
    wanted = (height, width, channels)
    fitting = [m for m in found if (m.summary.height, m.summary.width, m.summary.channels) == wanted]
    return sorted(fitting, key=lambda m: not (m.summary.has_lossless if exact else m.summary.betas))


def read_installed(path: Path) -> Model:
    """The model of a file, read once for each version of it."""
    return _model(path, path.stat().st_mtime_ns)


def _known_names() -> str:
    names = [name for model in installed_models() for name in (*model.aliases, model.name)]
    missing = (
        "" if zoo_folder().is_dir() else " (those that ship with vaecodec cannot be read in a zip file: install it)"
    )
    return (", ".join(names) if names else "none") + missing


@lru_cache(maxsize=8)
def _listed_once(folder: Path, modified_ns: int) -> tuple[tuple[str, Path], ...]:
    paths = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    return tuple((path.stem, path) for path in paths if path.is_file())  # a pipe would be waited for


@lru_cache(maxsize=8)
def _table(path: Path, modified_ns: int, size_bytes: int) -> dict[str, str]:
    table: dict[str, str] = json.loads(path.read_text())
    return table


@lru_cache(maxsize=8)
def _model(path: Path, modified_ns: int) -> Model:
    return open_model_file(path)


@lru_cache(maxsize=256)
def _summary(path: Path, modified_ns: int) -> Summary:
    return read_summary(path)
