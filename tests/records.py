"""The records of a room: its dataclasses, wherever they stand in it."""

import dataclasses
import importlib
import pkgutil


def records_of(room):
    """Every dataclass that is defined below vaecodec.ROOM."""
    package = importlib.import_module(f"vaecodec.{room}")
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__ and dataclasses.is_dataclass(one)
    ]


def changeable(room):
    """The names of those whose fields can be set after they were made."""
    return {one.__name__ for one in records_of(room) if not one.__dataclass_params__.frozen}


def without_slots(room):
    """The names of those whose instances have a dictionary, in which they keep what is derived of their fields."""
    return {one.__name__ for one in records_of(room) if "__slots__" not in vars(one)}
