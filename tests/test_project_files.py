"""The files of the project beside its code: version, citation, changes, container image."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_citation_is_of_this_version():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


def test_the_first_heading_of_the_changes_is_of_this_version():
    first = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    assert PROJECT["version"] in first


def test_every_page_says_the_same_python_versions():
    low, after = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    said = [f"3.{minor}" for minor in range(int(low), int(after))]
    classified = [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", text)]
    assert classified == said
    for name in ("README.md", "CHANGELOG.md", "Makefile", "docs/versions.md"):
        assert f"Python {said[0]} to {said[-1]}" in (ROOT / name).read_text(encoding="utf-8"), name


def instructions(stage):
    """(name, rest) of each instruction of a stage of the Dockerfile, 0 the first."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).split("FROM ")[stage + 1].splitlines()[1:]
    return [tuple(line.split(maxsplit=1)) for line in lines if line]


def test_the_image_is_made_of_what_is_not_ignored():
    shipped = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for name, rest in instructions(0) if name == "COPY" for source in rest.split()[:-1]}
    assert copied == shipped


@pytest.mark.slow
def test_the_steps_of_the_image_install_a_program_that_runs(tmp_path):
    """What docker would do, in folders of this machine: copy, build the wheel, install it, run it. No network."""
    pytest.importorskip("setuptools", minversion="77")
    source, wheels, installed = (tmp_path / name for name in ("source", "wheels", "installed"))
    places = {"/source": str(source), "/wheels": str(wheels)}
    quiet = {
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
    }  # 0: do not isolate
    install = {"PIP_TARGET": str(installed), "PIP_NO_DEPS": "1"}

    def run(words, **environment):
        for of_image, here in places.items():
            words = words.replace(of_image, here)
        words = re.sub(r"^--mount=\S+ ", "", words).replace("pip ", f"{shlex.quote(sys.executable)} -m pip ", 1)
        done = subprocess.run(
            words, shell=True, cwd=source, env={**os.environ, **quiet, **environment}, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    source.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name, rest in instructions(0):
        if name == "COPY":
            for one in rest.split()[:-1]:
                if (ROOT / one).is_dir():
                    shutil.copytree(ROOT / one, source / one, ignore=ignored)
                else:
                    shutil.copy(ROOT / one, source / one)
        elif name == "RUN":
            run(rest)
    for name, rest in instructions(1):
        if name == "RUN":
            run(rest, **install)
    (program,) = next(re.findall(r'"(.*?)"', rest) for name, rest in instructions(1) if name == "ENTRYPOINT")
    command = [str(installed / "bin" / program), "info", str(ROOT / "tests" / "golden" / "v1" / "tiny.vaem")]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    assert "golden-tiny-1" in said
