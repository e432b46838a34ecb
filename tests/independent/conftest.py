"""The program, as a black box: its codecs of the golden models, and a folder of models in which it finds them."""

from collections.abc import Iterator
from typing import Any

import pytest

import vaecodec
from tests.independent import container
from tests.independent.model_file import Model
from tests.independent.program import GOLDEN, NAMES, golden_file, golden_models


@pytest.fixture(scope="session")
def models() -> dict[str, Model]:
    return golden_models()


@pytest.fixture(scope="session")
def codecs() -> dict[str, Any]:
    return {name: vaecodec.load(GOLDEN / f"{name}.vaem") for name in NAMES}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All golden models lie in the program's folder of models, by the names that they hold."""
    folder = tmp_path_factory.mktemp("models")
    for name in NAMES:
        file = golden_file(name)
        (folder / f"{container.read(file).meta['about']['name']}.vaem").write_bytes(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAECODEC_MODELS", str(folder))
        yield
