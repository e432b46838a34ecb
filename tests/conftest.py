"""Shared by all tests: vaecodec.cli is this checkout's folder cli/, and under `make test` no oracle may be missing.

The mapping cli/ -> vaecodec.cli is made by the install (pyproject.toml). Without one, or with another checkout's, the
folder is mapped here for the tests' own process; commands that tests start in a new process need the install that
`make test` makes.

A test whose oracle is not installed is skipped, which is right for a person who installed a part. `make` installs
everything and sets VAECODEC_REQUIRE_EXTRAS: then such a skip is a failure.
"""

import importlib.util
import os
import platform
import sys
from pathlib import Path

import pytest

REQUIRE_VARIABLE = "VAECODEC_REQUIRE_EXTRAS"
MISSING = ("could not import", "not installed", "required is:")  # what skips for want of a package say
CLI = Path(__file__).parent.parent / "cli"


def map_command_line() -> None:
    """Make `import vaecodec.cli` mean this checkout's."""
    found = importlib.util.find_spec("vaecodec.cli")
    if (found is not None and found.origin == str(CLI / "__init__.py")) or not (CLI / "__init__.py").exists():
        return
    places = [str(CLI)]
    spec = importlib.util.spec_from_file_location(
        "vaecodec.cli", CLI / "__init__.py", submodule_search_locations=places
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["vaecodec.cli"] = module
    spec.loader.exec_module(module)


def fail_if_required(report):
    """Turn a skip for want of a package into a failure, where everything is said to be installed."""
    if not report.skipped or not os.environ.get(REQUIRE_VARIABLE) or sys.version_info >= (3, 13):  # no training there
        return report
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else ""
    no_wheel = "'constriction'" in reason and (sys.platform, platform.machine()) == ("linux", "aarch64")
    if any(words in reason for words in MISSING) and not no_wheel:
        report.outcome, report.longrepr = "failed", f"{reason} ({REQUIRE_VARIABLE} is set: nothing may be missing)"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return fail_if_required((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return fail_if_required((yield))


map_command_line()


@pytest.fixture
def special_models_alone(tmp_path_factory, monkeypatch):
    """The zoo holds the models that ship, but for photograph models."""
    from tests.photo.tiny import zoo_without_photographs

    folder = zoo_without_photographs(tmp_path_factory.mktemp("zoo") / "zoo")
    monkeypatch.setattr("vaecodec.modelfile.installed.zoo_folder", lambda: folder)
