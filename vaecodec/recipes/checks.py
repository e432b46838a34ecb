"""What a number or a word of a config must keep, said in one line where it does not."""

import math

from vaecodec.errors import ConfigError


def one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError where `value` is not among the choices."""
    if value not in choices:
        raise ConfigError(f"{name}: expected one of {', '.join(choices)}, found {value!r}")


def at_least(name: str, value: float, lowest: float) -> None:
    """Raise ConfigError where `value` is below, or not finite."""
    if not (value >= lowest and math.isfinite(value)):
        raise ConfigError(f"{name}: expected a number of at least {lowest:g}, found {value!r}")


def at_most(name: str, value: float, highest: float) -> None:
    """Raise ConfigError where `value` is above."""
    if value > highest:
        raise ConfigError(f"{name}: expected a number of at most {highest:g}, found {value!r}")
