"""Meta-tests: cheap checks of what holds for the package as a whole."""

import ast
import functools
import importlib
import importlib.util
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import vaecodec
from vaecodec import errors

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMMAND_LINE = [f"vaecodec.cli.{path.stem}" for path in (ROOT / "cli").glob("*.py") if not path.stem.startswith("__")]
MODULES = sorted(
    ["vaecodec", *COMMAND_LINE, *(found.name for found in pkgutil.walk_packages(vaecodec.__path__, "vaecodec."))]
)
ERRORS = sorted(
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.VaecodecError)
)
# What is only there to be caught: parents, which nothing raises itself.
PARENTS = {"VaecodecError", "FormatError", "ModelError", "ImageError", "DataError"}


def fresh_python(code):
    """Standard output of a new interpreter that sees this checkout first."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return done.stdout


@pytest.mark.parametrize("name", MODULES)
def test_every_name_in_all_is_there_and_all_is_sorted(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "vaecodec":
            raise
        pytest.skip(f"needs {error.name}, which is not installed")
    exported = getattr(module, "__all__", [])
    assert list(exported) == sorted(exported)
    for public in exported:
        getattr(module, public)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_opens_with_what_it_is_for(name):
    spec = importlib.util.find_spec(name)
    assert Path(spec.origin).read_text(encoding="utf-8").startswith('"""')


def test_importing_vaecodec_loads_nothing_heavy():
    loaded = fresh_python("import sys, vaecodec; print(*sys.modules)").split()
    heavy = {"torch", "onnxruntime", "compressai", "matplotlib", "numpy", "PIL"}
    assert not heavy & set(loaded)


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'decmpress'"):
        vaecodec.decmpress  # noqa: B018
    assert set(vaecodec.__all__) <= set(dir(vaecodec))


def test_the_version_is_the_projects():
    assert vaecodec.__version__ == PYPROJECT["project"]["version"]


def test_pyproject_lists_every_package():
    folders = {"vaecodec.cli"}
    for path in (ROOT / "vaecodec").rglob("__init__.py"):
        folders.add(".".join(path.parent.relative_to(ROOT).parts))
    assert sorted(folders) == PYPROJECT["tool"]["setuptools"]["packages"]


def test_the_command_lines_package_is_this_checkouts():
    code = "import importlib.util as u; s = u.find_spec('vaecodec.cli'); print(s.origin if s else '')"
    origin = fresh_python(code).strip()
    if not origin:
        pytest.skip("vaecodec is not installed in this Python: `make test` does it, or `pip install -e .`")
    assert Path(origin).parent == ROOT / "cli"


def test_the_wheels_only_top_level_name_is_vaecodec(tmp_path):
    pytest.importorskip("setuptools", minversion="77")
    pytest.importorskip("build")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("vaecodec", "cli"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"vaecodec", wheel.name.rpartition("-py3")[0] + ".dist-info"}
    packaged = {name for name in names if name.endswith(".py")}
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / "vaecodec").rglob("*.py")}
    expected |= {f"vaecodec/cli/{path.relative_to(ROOT / 'cli').as_posix()}" for path in (ROOT / "cli").rglob("*.py")}
    assert packaged == expected
    shipped = {path.name for path in (ROOT / "vaecodec" / "zoo").iterdir() if path.is_file()}
    assert shipped <= {Path(name).name for name in names if name.startswith("vaecodec/zoo/")}
    assert "vaecodec/py.typed" in names


@functools.cache
def names_used_in_tests():
    """Every name that stands in the code of a test, imports apart."""
    used = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name | ast.Attribute):
                used.add(node.id if isinstance(node, ast.Name) else node.attr)
    return used


@pytest.mark.parametrize("name", sorted(set(ERRORS) - PARENTS))
def test_every_error_is_raised_by_a_test(name):
    assert name in names_used_in_tests()


def test_the_tree_in_the_docstring_is_the_tree_of_errors():
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__)
    assert sorted([*drawn, "VaecodecError"]) == ERRORS


def test_imports_go_down_only():
    pytest.importorskip("importlinter")
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
