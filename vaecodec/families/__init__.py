"""The families by name: ONE table, name → the module with its record FAMILY.

A record is imported when its name is first asked for, and that family alone; nothing else knows them all. A family from
outside the package joins by add_family (docs/models.md). All of this is read without torch; trainables.py, which makes
of a config what is trained, needs it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from vaecodec.errors import ConfigError
from vaecodec.recipes.config import DEFAULT_FAMILY, TrainingConfig
from vaecodec.recipes.family import AnyFamily

PLACES = {
    "vae": "vaecodec.families.conv.vae",
    "beta-vae": "vaecodec.families.conv.beta_vae",
    "modified-beta-vae": "vaecodec.families.conv.modified_beta_vae",
    "capacity": "vaecodec.families.conv.capacity",
    "decomposition": "vaecodec.families.conv.decomposition",
    "beta-vae-gan": "vaecodec.families.conv.beta_vae_gan",
    "hfvae": "vaecodec.families.hfvae.family",
    "nvae": "vaecodec.families.nvae.family",
    "conditioned-vae": "vaecodec.families.conditioned.family",
    "lossless-vae": "vaecodec.families.lossless.family",
}
_added: dict[str, AnyFamily] = {}


def family_names() -> tuple[str, ...]:
    """The names there are, sorted."""
    return tuple(sorted([*PLACES, *_added]))


def find_family(name: str) -> AnyFamily:
    """The record of a family. Raises ConfigError, which lists the names, where there is none."""
    if name in _added:
        return _added[name]
    if name not in PLACES:
        raise ConfigError(f"unknown family {name!r}; there are: {', '.join(family_names())}")
    record: AnyFamily = importlib.import_module(PLACES[name]).FAMILY
    return record


def add_family(record: AnyFamily) -> None:
    """Let the package know a family from outside, in this process. Raises ConfigError where the name is taken."""
    if record.name in family_names():
        raise ConfigError(f"family {record.name!r} is registered twice")
    _added[record.name] = record


def family_of(values: Mapping[str, Any]) -> AnyFamily:
    """The record of the family that a config's tables name. Raises ConfigError."""
    return find_family(str(values.get("family", DEFAULT_FAMILY)))


def training_config(values: Mapping[str, Any]) -> TrainingConfig:
    """The inverse of TrainingConfig.to_dict: from the tables of a config. Raises ConfigError."""
    return family_of(values).config_of(values)
