"""Archives of random content, written as the page says: every flag, coding, model kind and number of segments.

rng --> SegmentPlan, SegmentPlan, … --> bytes
"""

from collections.abc import Mapping
from random import Random

from tests.independent import canonical_json
from tests.independent.model_file import Model
from tests.independent.mutants_of_streams import window_record
from tests.independent.records import METADATA
from tests.independent.streams import LOSSLESS, NEAR_LOSSLESS, STORED, STORED_BITS
from tests.independent.writing_archives import (
    HEADER,
    BlockPlan,
    SegmentPlan,
    block_record,
    embedded_record,
    model_record,
    names_record,
    record,
    segment,
)

_EXACT_CODINGS = (
    [STORED],
    [STORED_BITS],
    [LOSSLESS],
    [NEAR_LOSSLESS],
    [LOSSLESS, STORED, STORED_BITS],
    [NEAR_LOSSLESS, STORED],
)


def plans(models: Mapping[str, tuple[Model, bytes]], rng: Random) -> list[SegmentPlan]:
    """One to three segments; models: by name, with their files, which are small enough to be embedded."""
    found: list[SegmentPlan] = []
    numbers: dict[str, int] = {}
    image = 0
    for _ in range(rng.choice([1, 1, 2, 3])):
        plan = SegmentPlan(image, len(numbers))
        names: dict[int, str] = {}
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            name = rng.choice(sorted(models))
            model, file = models[name]
            if name not in numbers:
                numbers[name] = len(numbers)
                plan.models.append((model.fingerprint, model_record(model, name), embedded_record(file)))
            block = _block(model, numbers[name], image, rng)
            plan.blocks.append((len(block.codings), block_record(block, rng)))
            names |= {image - plan.first_image + i: n for i, n in enumerate(block.names or [])}
            image += len(block.codings)
        if rng.random() < 0.4:
            plan.metadata = record(METADATA, canonical_json.write({"segment": len(found), "é": [1.5, None]}))
        if names:
            plan.names, plan.page_hashes = names_record(names, plan.images)
            plan.entries = len(names)
        found.append(plan)
    return found


def written(segments: list[SegmentPlan]) -> list[bytes]:
    """The archive: its header, records and trailers, in order."""
    parts = [HEADER]
    for plan in segments:
        parts += segment(plan, sum(map(len, parts)))
    return parts


def _block(model: Model, number: int, first: int, rng: Random) -> BlockPlan:
    images = rng.choice([1, 2, 3, 3, 5])
    geometry = (model.height, model.width)
    exact = model.lossless is not None and (not model.levels or rng.random() < 0.5)
    if exact:
        codings = [rng.choice(rng.choice(_EXACT_CODINGS))] * images
        if rng.random() < 0.4:
            mixed = rng.choice(_EXACT_CODINGS)
            codings = [rng.choice(mixed) for _ in range(images)]
    else:
        codings = [rng.randrange(len(model.levels))] * images
        if rng.random() < 0.5:
            codings = [rng.randrange(len(model.levels)) for _ in range(images)]
    sizes = [geometry] * images
    if not {LOSSLESS, NEAR_LOSSLESS} & set(codings) and rng.random() < 0.5:
        one = _size(geometry, rng)
        sizes = [one if rng.random() < 0.5 else _size(geometry, rng) for _ in range(images)]
    block = BlockPlan(model, number, first, codings, sizes, rng.choice([1, 2, 9, 84, 85, 127]))
    if rng.random() < 0.5:
        stem = rng.choice(["", "é/", "a long name "])
        block.names = [stem + rng.choice(["x", "xy", "y", "é", "ê"]) * rng.randrange(1, 4) for _ in range(images)]
    if rng.random() < 0.5:
        columns = rng.choice([1, 2, 5])
        span = rng.choice([1, 2, 10, 2**40, 2**63])
        block.labels = [[rng.randrange(-span, span) for _ in range(columns)] for _ in range(images)]
    if rng.random() < 0.4:
        several = [window_record(rng, right=True) for _ in range(rng.choice([1, 2]))]
        block.windows = [rng.choice(several) for _ in range(images)]
    return block


def _size(geometry: tuple[int, int], rng: Random) -> tuple[int, int]:
    return rng.randrange(1, geometry[0] + 1), rng.randrange(1, geometry[1] + 1)
