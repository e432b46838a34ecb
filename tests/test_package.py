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
MOST_WHEEL_MB, MOST_TRACKED_MB = 25, 75  # until version 1.0 the zoo holds the current models alone
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    tmp_path = tmp_path_factory.mktemp("wheel")
    pytest.importorskip("setuptools", minversion="77")
    pytest.importorskip("build")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("vaecodec", "cli", "wheel_build"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    (made,) = tmp_path.glob("*.whl")
    return made


def test_the_wheels_only_top_level_name_is_vaecodec(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"vaecodec", wheel.name.rpartition("-py3")[0] + ".dist-info"}
    packaged = {name for name in names if name.endswith(".py")}
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / "vaecodec").rglob("*.py")}
    expected |= {f"vaecodec/cli/{path.relative_to(ROOT / 'cli').as_posix()}" for path in (ROOT / "cli").rglob("*.py")}
    assert packaged == expected
    shipped = {path.name for path in (ROOT / "vaecodec" / "zoo").iterdir() if path.is_file()}
    shipped -= {"mnist-beta-vae-1.vaem", "dsprites-beta-vae-1.vaem"}  # for the benchmarks of a checkout
    assert shipped <= {Path(name).name for name in names if name.startswith("vaecodec/zoo/")}
    assert "vaecodec/py.typed" in names


def test_the_wheel_is_light(wheel):
    size_mb = wheel.stat().st_size / 1e6
    print(f"wheel: {size_mb:.1f} MB, at most {MOST_WHEEL_MB} allowed")
    assert size_mb <= MOST_WHEEL_MB


def test_the_repositorys_files_are_light():
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode:
        pytest.skip("not a checkout of the repository")
    sizes = {name: (ROOT / name).stat().st_size for name in listed.stdout.split("\0") if (ROOT / name).is_file()}
    whole_mb = sum(sizes.values()) / 1e6
    largest = ", ".join(sorted(sizes, key=sizes.get)[-3:])
    print(f"tracked files: {whole_mb:.1f} MB, at most {MOST_TRACKED_MB} allowed; the largest: {largest}")
    assert whole_mb <= MOST_TRACKED_MB


def names_in(node):
    """Every name and attribute that stands in some code."""
    return {
        n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute)
    }


def errors_expected_by(source):
    """The errors that the tests of a file expect: what stands in `pytest.raises(...)`.

    Where that is the parameter of a test, what stands in the decorator that gives it its values.
    """
    expected = set()
    for function in [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]:
        parameters = {argument.arg for argument in function.args.args}
        for call in [node for node in ast.walk(function) if isinstance(node, ast.Call) and node.args]:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "raises":
                named = names_in(call.args[0])
                expected |= named & set(ERRORS)
                if named & parameters:
                    expected |= set().union(*map(names_in, function.decorator_list)) & set(ERRORS)
    return expected


@functools.cache
def expected_errors():
    """Those that any test expects."""
    files = (ROOT / "tests").rglob("test_*.py")
    return set().union(*(errors_expected_by(path.read_text(encoding="utf-8")) for path in files))


@pytest.mark.parametrize("name", sorted(set(ERRORS) - PARENTS))
def test_every_error_is_raised_by_a_test(name):
    assert name in expected_errors()


def test_an_error_that_is_only_mentioned_is_not_expected():
    mentioned = "from vaecodec.errors import BadMagic\ndef test_x():\n    caught = BadMagic\n    raise BadMagic('no')\n"
    assert errors_expected_by(mentioned) == set()
    assert errors_expected_by("def test_x():\n    with pytest.raises(errors.BadMagic):\n        f()\n") == {"BadMagic"}
    values = "@pytest.mark.parametrize('error', [Truncated, BadField])"
    given = values + "\ndef test_x({}):\n    with pytest.raises(error): f()\n"
    assert errors_expected_by(given.format("error")) == {"Truncated", "BadField"}
    assert errors_expected_by(given.format("other")) == set()


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
