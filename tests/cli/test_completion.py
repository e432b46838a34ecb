"""The tab key, in a real bash: commands, options, names of models, and files."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.cli.conftest import CONSOLE_SCRIPT, NAME

BASH = shutil.which("bash")
# What bash itself does when the key is pressed: the words of the line, the one that is being typed, the function.
PRESS = """
eval "$(_VAECODEC_COMPLETE=bash_source vaecodec)" || exit 9
complete -p vaecodec >/dev/null || exit 8
compopt() {{ printf 'compopt %s %s\\n' "$@"; }}
COMP_WORDS=({words}); COMP_CWORD={place}
_vaecodec_completion vaecodec
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

pytestmark = pytest.mark.skipif(BASH is None, reason="bash is not installed")


@pytest.fixture(scope="module")
def program(tmp_path_factory, package):
    """A folder whose `vaecodec` runs this checkout's command line."""
    folder = tmp_path_factory.mktemp("bin")
    call = f'exec {shlex.quote(sys.executable)} -P -c {shlex.quote(CONSOLE_SCRIPT)} "$@"'
    (folder / "vaecodec").write_text(f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(package))} {call}\n")
    (folder / "vaecodec").chmod(0o755)
    return folder


@pytest.fixture
def press(program):
    """press(line): what bash offers for the last word of the line; '<files>' where it offers files."""

    def offered(line):
        words = shlex.split(line) + [""] * line.endswith(" ")
        quoted = " ".join(shlex.quote(word) for word in words)
        script = PRESS.format(words=quoted, place=len(words) - 1)
        environment = {**os.environ, "PATH": f"{program}:{os.environ['PATH']}"}
        command = [BASH, "--norc", "--noprofile", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        found = done.stdout.splitlines()
        return ["<files>" if one == "compopt -o default" else one for one in found if one]

    return offered


def test_commands_and_options_are_completed(press):
    assert press("vaecodec archive e") == ["extract"]
    assert {"--target-bytes", "--target-psnr"} == set(press("vaecodec compress --target"))


def test_names_of_models_and_files_are_offered_for_a_model(press):
    assert press("vaecodec compress a.png a.vae --model ph") == ["<files>", "photo", "photo-1"]
    assert NAME in press("vaecodec models strip ")
    assert "mnist" in press("vaecodec decompress -m ")


def test_files_are_offered_for_files(press):
    assert press("vaecodec compress ") == ["<files>"]
    assert press("vaecodec archive create out.vaea pic") == ["<files>"]
    assert press("vaecodec show digit.vae -o ") == ["<files>"]
