"""Integer-exact networks: their operations, the proof, and what they give (section 11).

operations + sections  --read, prove-->  Network  --run-->  (batch, m) --> (batch, ...) int64
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent.arrays import Sections
from tests.independent.canonical_json import exactly, record, whole
from tests.independent.operations import EXACT_LIMIT, KINDS, Operation, Value
from tests.independent.refusal import require

MAX_OPS = 256
MAX_VALUE_ELEMENTS = 4194304
MAX_LIVE_ELEMENTS = 4194304
MAX_MACS = 1073741824
MAX_RESULT_ELEMENTS = 16777216


@dataclass(frozen=True, slots=True)
class Network:
    """Operations that were proven exact; result is the last value's shape and ranges."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    operations: tuple[Operation, ...]
    result: Value
    products: int
    elements: int

    def run(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The result (batch, …) for rows (batch, m), which are clamped."""
        values = [np.clip(rows, self.low, self.high)]
        for operation in self.operations:
            values.append(operation.run([values[source] for source in operation.sources]))
        return values[-1]


def read(operations: Any, sections: Sections, prefix: str, low: NDArray, high: NDArray) -> Network:
    """The network whose arrays are the sections `prefix`P/FIELD. Refuses what cannot be proven exact."""
    require(isinstance(operations, list), "BadField", f"{prefix}: the operations are no list")
    require(len(operations) <= MAX_OPS, "LimitExceeded", f"{prefix}: {len(operations)} operations")
    require(len(low) >= 1, "BadField", f"{prefix}: a network without an input")
    low, high = low.astype(np.int64), high.astype(np.int64)
    require(bool((low <= high).all()), "NotExact", f"{prefix}: an empty input range")
    require(bool((np.maximum(-low, high) < EXACT_LIMIT).all()), "NotExact", f"{prefix}: an input range beyond 2^24")
    values = [Value(low.shape, low, high)]
    read_operations = []
    for position, description in enumerate(operations):
        operation = _read_operation(description, sections, f"{prefix}{position}/", len(values))
        values.append(operation.prove([values[source] for source in operation.sources]))
        read_operations.append(operation)
    _check_use(read_operations, values)
    products = sum(operation.products(values[operation.sources[0]]) for operation in read_operations)
    network = Network(low, high, tuple(read_operations), values[-1], products, sum(v.elements for v in values[1:]))
    check_work([network])
    return network


def check_work(together: Sequence[Network]) -> None:
    """Refuses networks that cost too much for one image."""
    products = sum(network.products for network in together)
    require(products <= MAX_MACS, "LimitExceeded", f"{products} products")
    elements = sum(network.elements for network in together)
    require(elements <= MAX_RESULT_ELEMENTS, "LimitExceeded", f"results of {elements} elements")


def _read_operation(description: Any, sections: Sections, prefix: str, values: int) -> Operation:
    name = record(description, prefix).get("op")
    require(isinstance(name, str) and name in KINDS, "BadField", f"{prefix}: no operation {name!r}")
    kind = KINDS[name]
    entries = exactly(description, {"op", "sources", *kind.numbers}, prefix)
    sources = entries["sources"]
    require(isinstance(sources, list) and len(sources) == kind.arity, "BadField", f"{prefix}: sources")
    for source in sources:
        whole(source, -(2**31), 2**31, f"{prefix}: a source")
        require(0 <= source < values, "NotExact", f"{prefix}: source {source} is not there yet")
    numbers = {key: whole(entries[key], -(2**31), 2**31, f"{prefix}{key}") for key in kind.numbers}
    arrays = {key: sections.narrowest(prefix + key) for key in kind.arrays}
    return kind(tuple(sources), **numbers, **arrays)


def _check_use(operations: Sequence[Operation], values: Sequence[Value]) -> None:
    """The limits of elements, and that every value is used."""
    last_use = [-1] * len(values)
    for position, operation in enumerate(operations):
        for source in operation.sources:
            last_use[source] = position
    for number, value in enumerate(values):
        require(value.elements <= MAX_VALUE_ELEMENTS, "LimitExceeded", f"value {number}: {value.elements} elements")
        require(number == len(values) - 1 or last_use[number] >= 0, "NotCanonical", f"value {number} is not used")
    for position in range(len(operations)):
        live = [values[position + 1], *(v for n, v in enumerate(values[: position + 1]) if last_use[n] >= position)]
        require(sum(v.elements for v in live) <= MAX_LIVE_ELEMENTS, "LimitExceeded", f"operation {position}")
