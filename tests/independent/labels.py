"""The labels of a block's images (section 13.2).

columns, then for each: lowest value, bits of a difference, differences  -->  int64 (images, columns)
"""

import numpy as np
from numpy.typing import NDArray

from tests.independent.cursor import Cursor
from tests.independent.refusal import require

MAX_LABEL_COLUMNS = 64
INT64_MAX = 2**63 - 1


def read_labels(cursor: Cursor, images: int) -> NDArray[np.int64]:
    """The labels (images, columns) that start at the cursor."""
    columns = cursor.unsigned(1, "columns of labels")
    require(1 <= columns <= MAX_LABEL_COLUMNS, "BadField", f"{columns} columns of labels")
    return np.stack([_read_column(cursor, images) for _ in range(columns)], axis=1)


def _read_column(cursor: Cursor, images: int) -> NDArray[np.int64]:
    size = cursor.unsigned(1, "bytes of the lowest label")
    require(size <= 8, "BadField", f"a label of {size} bytes")
    lowest = int.from_bytes(cursor.take(size, "the lowest label"), "little", signed=True)
    require(size == _signed_bytes(lowest), "NotCanonical", "the lowest label in more bytes than it needs")
    bits = cursor.unsigned(1, "bits of a label")
    require(bits <= 64, "BadField", f"labels of {bits} bits")
    packed = cursor.take((images * bits + 7) // 8, "labels")
    number = int.from_bytes(packed, "big")
    unused = 8 * len(packed) - images * bits
    require(number & ((1 << unused) - 1) == 0, "NotCanonical", "labels are filled up with ones")
    number >>= unused
    differences = [(number >> (bits * (images - 1 - i))) & ((1 << bits) - 1) for i in range(images)]
    require(min(differences) == 0, "NotCanonical", "the lowest label is not there")
    require(max(differences).bit_length() == bits, "NotCanonical", "labels in more bits than they need")
    require(lowest + max(differences) <= INT64_MAX, "BadField", "a label beyond int64")
    return np.array([lowest + difference for difference in differences], np.int64)


def _signed_bytes(value: int) -> int:
    """The fewest bytes of two's complement; none for 0."""
    if value == 0:
        return 0
    return ((value if value >= 0 else ~value).bit_length() + 8) // 8
