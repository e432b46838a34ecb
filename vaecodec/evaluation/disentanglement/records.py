"""What a metric says: each of its values with its interval, how many images it saw, and with which settings.

codes (n, d), factors (n, k) ──metric──> Measurement: values (MIG .45 [.44, .46]), n, settings (bins 20, seed 7)
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Setting = tuple[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Interval:
    """From low to high; 95 % where nothing else is said."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"interval: expected low ≤ high, found {self.low} and {self.high}")

    def meets(self, other: "Interval") -> bool:
        """Whether the two have a point in common."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, slots=True)
class Value:
    """One number of a metric. interval: None where it was not asked for. unit: "" for a share, else bits, latents."""

    name: str
    value: float
    interval: Interval | None = None
    unit: str = ""

    @property
    def reach(self) -> Interval:
        """The interval, or the value alone where there is none."""
        return self.interval or Interval(self.value, self.value)


@dataclass(frozen=True, slots=True)
class Measurement:
    """All that one metric says of one set of codes; n: images seen. settings: predictor, bins, seed, as pairs."""

    metric: str
    values: tuple[Value, ...]
    n: int
    settings: tuple[Setting, ...] = ()

    def __getitem__(self, name: str) -> Value:
        """The value of that name. Raises KeyError, which lists the names there are."""
        for value in self.values:
            if value.name == name:
                return value
        raise KeyError(f"{self.metric} has no value {name!r}: there are {', '.join(v.name for v in self.values)}")

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it back."""
        return {**asdict(self), "settings": dict(self.settings)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "Measurement":
        """The inverse of `to_dict`."""
        values = (
            Value(v["name"], v["value"], v["interval"] and Interval(**v["interval"]), v["unit"])
            for v in found["values"]
        )
        return cls(found["metric"], tuple(values), found["n"], tuple(found["settings"].items()))
