"""The man pages: one for each command, which say all that its help says, and which groff reads without a warning."""

import re
import shutil
import subprocess

import click
import pytest
from vaecodec.cli import manual

from tests.cli.test_help import EVERY

PAGES = manual.pages()


def shown(text):
    """A page as a terminal shows it, in one line of single spaces."""
    command = ["groff", "-K", "utf8", "-T", "utf8", "-man", "-ww", "-P-c", "-rLL=2000n"]
    done = subprocess.run(command, input=text.encode("ascii"), capture_output=True, check=True, timeout=30)
    assert done.stderr == b""
    return " ".join(re.sub(".\b", "", done.stdout.decode()).split())


def test_every_command_has_a_page():
    assert set(PAGES) == {"vaecodec.1", *(f"vaecodec-{'-'.join(path)}.1" for path in EVERY)}


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_a_page_shows_every_option_with_its_help(path):
    page = shown(PAGES[f"vaecodec-{'-'.join(path)}.1"])
    assert f"vaecodec {' '.join(path)} " in page
    for option in EVERY[path].params:
        if isinstance(option, click.Option):
            assert all(name in page for name in option.opts)
            assert " ".join(option.help.split()).replace("₁", "1").replace("₂", "2") in page


def test_lines_that_roff_would_obey_are_text():
    assert manual._text(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert manual._text("'x") == "\\&'x"
    assert manual._text("a\\fB-β") == "a\\efB\\-\\[u03B2]"


def test_the_module_writes_the_pages(tmp_path, capsys):
    assert manual.main([str(tmp_path / "man" / "man1")]) == 0
    written = {path.name: path.read_text(encoding="ascii") for path in (tmp_path / "man" / "man1").iterdir()}
    assert written == PAGES
    assert manual.main([]) == 2
    assert "usage" in capsys.readouterr().err
