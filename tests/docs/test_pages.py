"""The pages are true: files and modules that they name exist, links lead somewhere, decisions stand in their index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PACKAGES = [ROOT / "cli", *sorted(path.parent for path in (ROOT / "vaecodec").rglob("__init__.py"))]
SOURCES = [path for folder in PACKAGES for path in sorted(folder.glob("*.py"))]
STANDS_FOR_ANY = "NAME"


def named_files(text):
    """What looks like a file of this repository: names of Python files, and paths below its folders."""
    yield from re.findall(r"(?<![\w/.-])[\w/]+\.py\b", text)
    yield from re.findall(r"(?<![\w/.-])(?:vaecodec|cli|benchmarks|docs|tests|examples)/[\w/.-]*[\w/](?![\w*-])", text)


def is_there(name, page):
    """Whether it is, from the root, the package, or the page's own folder; a bare file name may be anywhere."""
    if any((folder / name).exists() for folder in (ROOT, ROOT / "vaecodec", page.parent)):
        return True
    code = [path for folder in ("vaecodec", "cli", "benchmarks") for path in (ROOT / folder).rglob(name)]
    return "/" not in name and bool(code)


@pytest.mark.parametrize("page", [*PAGES, *SOURCES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_are_there(page):
    text = page.read_text(encoding="utf-8")
    assert [name for name in named_files(text) if not (STANDS_FOR_ANY in name or is_there(name, page))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_modules_that_the_pages_name_are_there():
    for page in PAGES:
        for module in re.findall(r"python -m (benchmarks(?:\.\w+)+)", page.read_text(encoding="utf-8")):
            assert (ROOT / f"{module.replace('.', '/')}.py").exists(), (page, module)


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    helped = re.findall(r"^((?:[a-z-]+ ?)+):.*## ", makefile, re.MULTILINE)
    assert sorted(targets.split()) == sorted(name for names in helped for name in names.split())


def test_every_decision_stands_in_the_index():
    folder = ROOT / "docs" / "decisions"
    linked = re.findall(r"\]\(([^)]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_packages_docstring_names_every_file_in_it(package):
    said = set(re.findall(r"\w+", (package / "__init__.py").read_text(encoding="utf-8").split('"""')[1]))
    files = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    assert files - said == set()


def test_every_room_stands_in_the_readmes_table_once():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (vaecodec/\w+/|cli/|benchmarks/)", readme, re.MULTILINE)
    rooms = {f"vaecodec/{path.parent.name}/" for path in (ROOT / "vaecodec").glob("*/__init__.py")}
    assert set(table) == rooms | {"cli/", "benchmarks/"}
    assert len(table) == len(set(table))
