"""Refused: what a reader raises instead of giving a result, with the kind of rule that was broken.

The page says only "must be refused"; the kinds are those in the names of tests/golden/v1/bad/<kind>-<what>.bin.
"""


class Refused(Exception):
    """A file that must be refused; `kind` is one of the kinds of rules below."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind


def require(holds: bool, kind: str, what: str) -> None:
    """Raises Refused where a rule does not hold."""
    if not holds:
        raise Refused(kind, what)
