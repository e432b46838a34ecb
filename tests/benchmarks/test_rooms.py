"""benchmarks/ has scripts, and below them the rooms pages, studies, measuring: imports go down, without a circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("measuring", "studies", "pages")  # from below
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted((ROOT / "benchmarks").rglob("*.py"))
    if path.stem != "__init__"
}
SCRIPTS = [name for name in FILES if name.count(".") == 1]


def imported(path):
    """The files of benchmarks/ that a file imports anywhere, in functions and for type checking too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & FILES.keys()


def height(name):
    """0 for what lies at the bottom, more for what may import it; scripts stand on top."""
    room = name.split(".")[1]
    return ROOMS.index(room) if room in ROOMS else len(ROOMS)


@pytest.mark.parametrize("name", FILES)
def test_imports_go_down_and_never_to_a_script(name):
    for other in imported(FILES[name]):
        assert other not in SCRIPTS
        assert height(other) <= height(name)


def test_no_circle_of_files():
    TopologicalSorter({name: imported(path) for name, path in FILES.items()}).prepare()  # raises CycleError


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_run(name):
    text = FILES[name].read_text(encoding="utf-8")
    assert f"python -m {name}" in ast.get_docstring(ast.parse(text))
    assert 'if __name__ == "__main__":' in text
