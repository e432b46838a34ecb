"""Small networks learn their first outlines in fewer steps."""

from collections.abc import Iterator

import pytest

from vaecodec.recipes import begin_half_planes


@pytest.fixture(autouse=True, scope="session")
def _short_fitting() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(begin_half_planes, "FITTING_STEPS", 400)
        yield
