"""Shared by all tests: whatever this Python has installed, vaecodec.cli is this checkout's folder cli/.

The mapping cli/ -> vaecodec.cli is made by the install (pyproject.toml). Without one, or with another checkout's, the
folder is mapped here for the tests' own process; commands that tests start in a new process need the install that
`make test` makes.
"""

import importlib.util
import sys
from pathlib import Path

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


map_command_line()
