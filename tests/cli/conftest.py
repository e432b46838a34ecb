"""What the tests of the command line share: an installed model, a digit, its stream, and two ways to run commands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from vaecodec.cli.main import command

from vaecodec.codec.codec import load

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
NAME = "golden-tiny-1"


@pytest.fixture(scope="session")
def tiny():
    """A model file of 28x28 images."""
    return TESTS / "golden" / "v1" / "tiny.vaem"


@pytest.fixture(scope="session")
def digit():
    """A PNG of 28x28 pixels."""
    return ROOT / "examples" / "digit-7.png"


@pytest.fixture(scope="session")
def codec(tiny):
    return load(tiny)


@pytest.fixture(scope="session")
def stream(codec, digit):
    """The digit's stream, bytes."""
    from PIL import Image

    with Image.open(digit) as image:
        return codec.compress(image)


@pytest.fixture(autouse=True)
def folders(tmp_path, tmp_path_factory, monkeypatch, tiny):
    """An empty folder as the place where commands run, and a user's model folder that holds the tiny model."""
    models = tmp_path_factory.mktemp("models")
    (models / f"{NAME}.vaem").write_bytes(tiny.read_bytes())
    monkeypatch.setenv("VAECODEC_MODELS", str(models))
    monkeypatch.chdir(tmp_path)
    return models


@pytest.fixture
def run():
    """run(*arguments, input=bytes): the command in this process; the result has exit_code, stdout, stderr."""

    def invoke(*arguments, input=None):
        return CliRunner().invoke(command, [str(a) for a in arguments], input=input, prog_name="vaecodec")

    return invoke


@pytest.fixture
def fails(run):
    """fails(*arguments): runs a command that must end with code 1 and one line on stderr; the line."""

    def invoke(*arguments, input=None):
        result = run(*arguments, input=input)
        assert isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == 1
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith("vaecodec: error: ")
        assert "this is a bug" not in line
        return line

    return invoke


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """A folder that holds the package as the wheel lays it out, cli/ as vaecodec/cli/."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "vaecodec").mkdir()
    for path in (ROOT / "vaecodec").iterdir():
        (folder / "vaecodec" / path.name).symlink_to(path)
    (folder / "vaecodec" / "cli").symlink_to(ROOT / "cli")
    return folder


@pytest.fixture
def python(package):
    """python(code, *arguments, ...): a new interpreter's completed process; more options as subprocess.run's."""

    def start(code, *arguments, **options):
        environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"}
        line = [sys.executable, "-P", "-c", code, *map(str, arguments)]
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(line, stderr=subprocess.PIPE, env=environment, timeout=60, check=False, **options)

    return start


CONSOLE_SCRIPT = "import sys; from vaecodec.cli.entry import main; sys.exit(main())"


@pytest.fixture
def process(python):
    """process(*arguments, ...): the installed command in a process of its own."""
    return lambda *arguments, **options: python(CONSOLE_SCRIPT, *arguments, **options)
