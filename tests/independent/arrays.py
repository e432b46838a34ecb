"""Arrays in a model file (section 9), and the rule of the narrowest dtype (section 10)."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tests.independent.cursor import Cursor
from tests.independent.refusal import Refused, require

MAX_DIMENSIONS = 8
MAX_ARRAY_BYTES = 67108864

_DTYPES = {
    1: np.dtype("u1"),
    2: np.dtype("i1"),
    3: np.dtype("<u2"),
    4: np.dtype("<i2"),
    5: np.dtype("<u4"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    8: np.dtype("<f2"),
    9: np.dtype("<f4"),
    10: np.dtype("<f8"),
}
_NARROWEST = (np.dtype("i1"), np.dtype("u1"), np.dtype("<i2"), np.dtype("<i4"))


def read(data: bytes, what: str) -> NDArray:
    """The array that a section says."""
    cursor = Cursor(data)
    code = cursor.unsigned(1, what)
    require(code in _DTYPES, "BadField", f"{what}: dtype code {code}")
    dimensions = cursor.unsigned(1, what)
    require(dimensions <= MAX_DIMENSIONS, "LimitExceeded", f"{what}: {dimensions} dimensions")
    shape = tuple(cursor.unsigned(4, what) for _ in range(dimensions))
    size = math.prod(shape) * _DTYPES[code].itemsize
    require(size <= MAX_ARRAY_BYTES, "LimitExceeded", f"{what}: {size} bytes")
    elements = cursor.take(size, what)
    cursor.end(what)
    return np.frombuffer(elements, _DTYPES[code]).reshape(shape)


class Sections:
    """The sections of a model file, each taken once; what is left over can be asked for."""

    def __init__(self, sections: Mapping[str, bytes]) -> None:
        self._sections = sections
        self._taken: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether there is such a section."""
        return name in self._sections

    def take(self, name: str) -> bytes:
        """The bytes of a section that must be there."""
        require(name in self._sections, "BadField", f"no section {name}")
        self._taken.add(name)
        return self._sections[name]

    def array(self, name: str, dtype: str, dimensions: int) -> NDArray:
        """An array of exactly this dtype and number of dimensions."""
        array = read(self.take(name), name)
        require(array.dtype == np.dtype(dtype), "BadField", f"{name} is {array.dtype}, not {dtype}")
        require(array.ndim == dimensions, "BadField", f"{name} has {array.ndim} dimensions")
        return array

    def narrowest(self, name: str) -> NDArray[np.int64]:
        """An array of whole numbers, stored in the first of four dtypes that holds them; given as int64."""
        array = read(self.take(name), name)
        require(array.dtype in _NARROWEST, "BadField", f"{name} is {array.dtype}")
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        fits = next(d for d in _NARROWEST if np.iinfo(d).min <= low and high <= np.iinfo(d).max)
        require(array.dtype == fits, "NotCanonical", f"{name} is {array.dtype}, but fits {fits}")
        return array.astype(np.int64)

    def refuse_others(self, prefix: str) -> None:
        """Refuses sections with this prefix that were not taken."""
        for name in self._sections:
            if name.startswith(prefix) and name not in self._taken:
                raise Refused("NotCanonical", f"a section {name} that means nothing")
