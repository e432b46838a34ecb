"""The families by name; files store the name, never a position."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

from vaecodec.errors import ConfigError
from vaecodec.recipes.sizes import Sizes, sizes_of

Model = TypeVar("Model", bound=nn.Module)
_FAMILIES: dict[str, Callable[[Any], nn.Module]] = {}


def register(name: str) -> Callable[[type[Model]], type[Model]]:
    """Class decorator: make a family known under `name`. Raises ConfigError where the name is taken."""

    def add(family: type[Model]) -> type[Model]:
        if name in _FAMILIES:
            raise ConfigError(f"family {name!r} is registered twice")
        _FAMILIES[name] = family
        return family

    return add


def families() -> tuple[str, ...]:
    """The names there are, sorted."""
    _import_all()
    return tuple(sorted(_FAMILIES))


def build(name: str, config: Sizes) -> nn.Module:
    """An untrained model of the family `name`. Raises ConfigError where there is none, or its sizes are another's."""
    _import_all()
    if name not in _FAMILIES:
        raise ConfigError(f"unknown family {name!r}; there are: {', '.join(families())}")
    if not isinstance(config, sizes_of(name)):
        raise ConfigError(f"family {name!r} takes {sizes_of(name).__name__}, found {type(config).__name__}")
    return _FAMILIES[name](config)


def _import_all() -> None:
    import vaecodec.families as package

    for module in pkgutil.walk_packages(package.__path__, "vaecodec.families."):
        importlib.import_module(module.name)
