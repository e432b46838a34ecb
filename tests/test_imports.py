"""No circle of files: every import counts, those within functions and those for type checking too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"vaecodec": "vaecodec", "vaecodec.cli": "cli", "benchmarks": "benchmarks"}  # package → where it lies
# Circles that are still to be cut, each as the files in it. One that is gone must leave this list.
KNOWN: set[frozenset[str]] = set()


def modules() -> dict[str, Path]:
    """The file of every module, by the name that it is imported by; a package's is its __init__.py."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


def imported_by(name: str, path: Path, names: set[str]) -> Iterator[str]:
    """The modules that a module imports, wherever in it."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                if whole in names or base in names:
                    yield whole if whole in names else base


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The sets of modules of which each leads to every other: Tarjan's strongly connected components."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    found: set[frozenset[str]] = set()

    def visit(one: str) -> None:
        number[one] = lowest[one] = len(number)
        waiting.append(one)
        for other in sorted(graph[one]):
            if other not in number:
                visit(other)
                lowest[one] = min(lowest[one], lowest[other])
            elif other in waiting:
                lowest[one] = min(lowest[one], number[other])
        if lowest[one] == number[one]:
            place = waiting.index(one)
            component = frozenset(waiting[place:])
            del waiting[place:]
            if len(component) > 1 or one in graph[one]:
                found.add(component)

    for one in graph:
        if one not in number:
            visit(one)
    return found


def test_no_files_import_each_other_in_a_circle() -> None:
    files = modules()
    graph = {name: set(imported_by(name, path, set(files))) for name, path in files.items()}
    assert sum(map(len, graph.values())) > len(graph)  # something was found at all
    found = {frozenset(circle) for circle in circles(graph)}
    shown = "\n".join(" ⇄ ".join(sorted(circle)) for circle in found - KNOWN)
    assert not found - KNOWN, f"circles of files:\n{shown}"
    assert not KNOWN - found, f"no circle any more, take it out of KNOWN: {KNOWN - found}"


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, set()),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, {frozenset("ab")}),
        ({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}}, {frozenset("abc"), frozenset("de")}),
        ({"a": {"a"}}, {frozenset("a")}),
    ],
)
def test_circles_are_found(graph: dict[str, set[str]], expected: set[frozenset[str]]) -> None:
    assert circles(graph) == expected


def test_imports_within_functions_and_for_types_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "import p.a\nfrom p import b\nfrom . import c\nfrom .d import name\n"
        "if TYPE_CHECKING:\n    from p.e import Type\ndef f():\n    from ..q import late\n"
    )
    names = {"p.a", "p.b", "p.s.c", "p.s.d", "p.e", "p.q", "p.f"}
    assert sorted(imported_by("p.s.module", path, names)) == ["p.a", "p.b", "p.e", "p.q", "p.s.c", "p.s.d"]
