"""Small networks learn their first outlines in fewer steps, as in tests/families."""

from ..families.conftest import _short_fitting  # noqa: F401
