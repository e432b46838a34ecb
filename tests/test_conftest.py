"""A skip for want of a package is a failure where everything is said to be installed; other skips stay skips."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent / "conftest.py"
IN_A_TEST = """
import pytest

def test_with_an_oracle():
    pytest.importorskip("a_package_that_is_not_there")

def test_with_an_older_one():
    pytest.importorskip("pytest", minversion="9999")

def test_that_says_so():
    pytest.skip("needs a_package_that_is_not_there, which is not installed")

def test_on_another_system():
    pytest.skip("no such device here")
"""
AT_THE_TOP = "import pytest\nx = pytest.importorskip('a_package_that_is_not_there')\ndef test_it(): pass\n"


def outcomes(folder: Path, text: str, **variables: str) -> tuple[int, str]:
    """Exit code and last line of pytest over one file below our conftest.py."""
    shutil.copy(CONFTEST, folder)
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -q -p no:cacheprovider\n")
    env = {name: value for name, value in os.environ.items() if name != "VAECODEC_REQUIRE_EXTRAS"}
    command = [sys.executable, "-m", "pytest", str(folder)]
    done = subprocess.run(command, env={**env, **variables}, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip().splitlines()[-1]


def test_a_part_of_the_packages_is_enough_by_default(tmp_path: Path) -> None:
    code, line = outcomes(tmp_path, IN_A_TEST)
    assert code == 0
    assert line.startswith("4 skipped")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="there are no training packages for this Python")
def test_where_everything_is_installed_nothing_may_be_missing(tmp_path: Path) -> None:
    code, line = outcomes(tmp_path, IN_A_TEST, VAECODEC_REQUIRE_EXTRAS="1")
    assert code == 1
    assert line.startswith("3 failed, 1 skipped")
    code, line = outcomes(tmp_path, AT_THE_TOP, VAECODEC_REQUIRE_EXTRAS="1")
    assert code != 0
    assert "1 error" in line
