"""The pages of jobs, docs/microscopy.md and docs/shell.md: their blocks run as they stand, in their order."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to run in, where `vaecodec` is this checkout's command line."""
    package, programs, folder = tmp_path / "package", tmp_path / "bin", tmp_path / "here"
    (package / "vaecodec").mkdir(parents=True)
    for path in (ROOT / "vaecodec").iterdir():
        (package / "vaecodec" / path.name).symlink_to(path)
    (package / "vaecodec" / "cli").symlink_to(ROOT / "cli")
    programs.mkdir()
    call = f"exec {sys.executable} -P -c 'from vaecodec.cli.main import main; main()' \"$@\""
    (programs / "vaecodec").write_text(f"#!/bin/sh\nPYTHONPATH={package} {call}\n")
    (programs / "vaecodec").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(page):
    """The page's blocks, shell and Python; names live on from one Python block to the next."""
    names = {"__name__": "page"}
    blocks = BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert len(blocks) > 3
    for language, code in blocks:
        if language == "python":
            exec(compile(code, f"docs/{page}", "exec"), names)
        else:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", code], capture_output=True, timeout=100, check=False
            )
            assert done.returncode == 0, f"{code}\n{done.stderr.decode()}"
            assert b"this is a bug" not in done.stderr


def test_the_microscopists_page_runs(here):
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:28, :28]
    (here / "crops").mkdir()
    for k in range(3):
        spot = 3000 * np.exp(-((rows - 10 - k) ** 2 + (columns - 14) ** 2) / 30)
        Image.fromarray(rng.poisson(100 + spot).astype(np.uint16)).save(here / "crops" / f"{k}.png")
    run("microscopy.md")


def test_the_shells_page_runs(here):
    pytest.importorskip("fsspec")
    (here / "pictures").mkdir()
    for k in (0, 1, 2):
        (here / "pictures" / f"{k}.png").write_bytes((ROOT / "examples" / f"digit-{k}.png").read_bytes())
    (here / "pictures" / "broken.png").write_bytes(b"no image")
    run("shell.md")
    assert len((here / "digits.npz").read_bytes()) > 0
