"""On damaged and made-up model files, the second decoder and the program decide the same, and decode the same."""

from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.independent.model_file import Model
from tests.independent.mutants_of_models import mutants
from tests.independent.mutants_of_streams import rechecked, respelt
from tests.independent.packed_model import packed_model
from tests.independent.program import (
    NAMES,
    Refusal,
    decide_model,
    decide_stream,
    differ,
    golden_file,
    program_on_model,
    program_on_stream,
)
from tests.independent.refusal import Refused
from tests.independent.streams import CODED, LOSSLESS, MAX_LEVEL, NEAR_LOSSLESS, STORED, STORED_BITS


def _disagreements(seed: int, number: int, names: tuple[str, ...], folder: Path) -> list[str]:
    files = [packed_model() if name == "packed" else golden_file(name) for name in names]
    rng = Random(seed + 1)
    found = []
    for place, data in enumerate(islice(mutants(files, Random(seed)), number)):
        ours, theirs = decide_model(data), program_on_model(data, folder)
        difference = differ(ours, theirs)
        if not difference and isinstance(ours, Model):
            difference = _used_differently(ours, theirs, rng)
        if difference:
            found.append(f"mutant {place} of seed {seed}: {difference}")
    return found


def _used_differently(model: Model, codec: Any, rng: Random) -> str:
    """The first difference of up to three streams of the model's codings."""
    codings = [*range(len(model.levels)), *((LOSSLESS, STORED, NEAR_LOSSLESS, STORED_BITS) if model.lossless else ())]
    for coding in rng.sample(codings, min(3, len(codings))):
        data = _stream(model, coding, rng)
        difference = differ(_use(data, model, coding), program_on_stream(data, codec))
        if difference:
            return f"stream {data.hex()}: {difference}"
    return ""


def _stream(model: Model, coding: int, rng: Random) -> bytes:
    """A stream of random symbols, or of random stored pixels."""
    payload = rng.randbytes(rng.choice([0, 2, 10, 60]))
    if coding in {STORED, STORED_BITS}:
        pixels = model.height * model.width
        payload = rng.randbytes(pixels if coding == STORED else (pixels + 7) // 8)
    head = bytes([0xB9, coding]) + model.fingerprint[:2]
    head += bytes([rng.choice([1, 20, 127])]) if coding == NEAR_LOSSLESS else b""
    return rechecked(respelt(head + payload + bytes(3), model), model)


def _use(data: bytes, model: Model, coding: int) -> np.ndarray | Refusal:
    """As a reader uses a model for the first time: its known answer comes first."""
    try:
        if coding <= MAX_LEVEL:
            model.check_levels()
        elif coding in CODED:
            model.check_lossless()
    except Refused as refused:
        return Refusal(refused.kind, str(refused))
    return decide_stream(data, model)


def test_the_program_decides_as_the_page_on_mutants_of_models(tmp_path: Path) -> None:
    assert _disagreements(1, 100, ("mini", "groups", "bits", "tiny"), tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10, 15))
def test_the_program_decides_as_the_page_on_hundreds_of_mutants_of_all_models(seed: int, tmp_path: Path) -> None:
    assert _disagreements(seed, 200, (*NAMES, "packed"), tmp_path) == []


def test_a_model_of_packed_tables_decodes_as_the_program_does(tmp_path: Path) -> None:
    data = packed_model()
    model, codec = decide_model(data), program_on_model(data, tmp_path)
    assert isinstance(model, Model)
    assert len(model.levels) > 16
    assert [_used_differently(model, codec, Random(seed)) for seed in range(4)] == [""] * 4
