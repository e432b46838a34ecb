"""The families by name; files store the name, never a position."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from vaecodec.errors import ConfigError
from vaecodec.models.base import VAE
from vaecodec.models.config import ModelConfig

_FAMILIES: dict[str, type[VAE]] = {}


def register(name: str) -> Callable[[type[VAE]], type[VAE]]:
    """Class decorator: make a family known under `name`. Raises ConfigError where the name is taken."""

    def add(family: type[VAE]) -> type[VAE]:
        if name in _FAMILIES:
            raise ConfigError(f"family {name!r} is registered twice")
        _FAMILIES[name] = family
        return family

    return add


def families() -> tuple[str, ...]:
    """The names there are, sorted."""
    _import_all()
    return tuple(sorted(_FAMILIES))


def build(name: str, config: ModelConfig) -> VAE:
    """An untrained model of the family `name`. Raises ConfigError where there is none."""
    _import_all()
    if name not in _FAMILIES:
        raise ConfigError(f"unknown family {name!r}; there are: {', '.join(families())}")
    return _FAMILIES[name](config)


def _import_all() -> None:
    import vaecodec.models as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
