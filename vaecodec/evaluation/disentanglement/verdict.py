"""Verdicts: a number counts for something only where its interval is clear of its null, or of another model's interval.

value [low, high] ── null's range ──> above | below | not decided
value [low, high] ── other [low, high] ──> above | below | not decided
"""

from enum import Enum

from vaecodec.evaluation.disentanglement.records import Interval, Value
from vaecodec.evaluation.disentanglement.rotation import Null


class Verdict(Enum):
    """Of a value against something; "not decided" is a verdict."""

    ABOVE = "above"
    BELOW = "below"
    NOT_DECIDED = "not decided"


def against(value: Value, other: Interval) -> Verdict:
    """Above or below where the value's interval lies wholly there."""
    if value.reach.meets(other):
        return Verdict.NOT_DECIDED
    return Verdict.ABOVE if value.reach.low > other.high else Verdict.BELOW


def against_null(value: Value, null: Null) -> Verdict:
    """Against all rotations. Raises ValueError where the null is another value's."""
    if value.name != null.name:
        raise ValueError(f"verdict: {value.name} against the null of {null.name}")
    return against(value, null.range)


def between(first: Value, second: Value) -> Verdict:
    """Of the first against the second, which another model has. Raises ValueError for different values."""
    if value_names := {first.name, second.name} - {first.name}:
        raise ValueError(f"verdict: {first.name} against {value_names.pop()}")
    return against(first, second.reach)
