"""On damaged and made-up streams, the second decoder and the program decide the same, and give the same pixels."""

from itertools import islice
from random import Random
from typing import Any

import pytest

from tests.independent.model_file import Model
from tests.independent.mutants_of_streams import Sample, mutants
from tests.independent.program import GOLDEN, GOLDEN_WINDOWS, decide_stream, differ, program_on_stream


def _disagreements(seed: int, number: int, models: dict[str, Model], codecs: dict[str, Any]) -> list[str]:
    paths = sorted(path for golden in (GOLDEN, GOLDEN_WINDOWS) for path in (golden / "streams").glob("*.bin"))
    samples = [Sample(path.stem.split("-")[0], path.read_bytes()) for path in paths]
    found = []
    for mutant in islice(mutants(samples, models, Random(seed)), number):
        ours = decide_stream(mutant.data, models[mutant.model])
        difference = differ(ours, program_on_stream(mutant.data, codecs[mutant.model]))
        if difference:
            found.append(f"{mutant.model} {mutant.data.hex()}: {difference}")
    return found


def test_the_program_decides_as_the_page_on_mutants_of_streams(
    models: dict[str, Model], codecs: dict[str, Any]
) -> None:
    assert _disagreements(1, 250, models, codecs) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10, 15))
def test_the_program_decides_as_the_page_on_a_thousand_mutants_of_streams(
    seed: int, models: dict[str, Model], codecs: dict[str, Any]
) -> None:
    assert _disagreements(seed, 1000, models, codecs) == []
