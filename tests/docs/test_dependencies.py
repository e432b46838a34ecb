"""Every requirement stands in docs/dependencies.md, and in the lock file with a version within its bounds."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
LOCK = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
NAMES = {"=": "==", "≥": ">=", "<": "<"}


def requirements():
    """(extra, Requirement) of all that pyproject.toml names; the runtime's have the extra ""."""
    module = pytest.importorskip("packaging.requirements")
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    return [(extra, module.Requirement(text)) for extra, texts in groups.items() for text in texts]


def rows():
    """(package, extras, bounds) of each row of the page."""
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] not in ("package", "---"):
            bounds = cells[1] if cells[1][0] in NAMES else cells[2]
            extras = [""] if bounds == cells[1] else cells[1].split(", ")
            words = {re.sub("^[=≥<]", lambda sign: NAMES[sign[0]], bound) for bound in bounds.split(", ")}
            yield cells[0], extras, {word.replace(" ", "") for word in words}


def test_every_requirement_stands_on_the_page_and_those_of_users_with_a_bound():
    stated = [(name, extra, bounds) for name, extras, bounds in rows() for extra in extras]
    for extra, requirement in requirements():
        of_this = [bounds for name, of, bounds in stated if (name, of) == (requirement.name, extra)]
        assert of_this, f"docs/dependencies.md has no row of {requirement.name}, extra {extra or 'none'}"
        if extra not in ("", "train"):  # tools, whose bounds several pages may move
            continue
        bounds = {str(one) for one in requirement.specifier}
        assert any(of & bounds for of in of_this), (requirement.name, bounds, of_this)


def test_the_lock_file_has_a_version_of_every_requirement_that_the_bounds_take():
    module = pytest.importorskip("packaging.requirements")
    locked = [module.Requirement(line) for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    for _, requirement in requirements():
        versions = [next(iter(one.specifier)).version for one in locked if one.name == requirement.name.lower()]
        assert versions, f"requirements-dev.txt has no {requirement.name}: make lock"
        assert any(requirement.specifier.contains(version) for version in versions), requirement.name
