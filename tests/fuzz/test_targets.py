"""Every seed and every kept input of the fuzzer is read, or refused by an error of ours."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fuzz import samples
from tests.fuzz.run import CORPUS, TARGETS
from tests.fuzz.targets import targets
from vaecodec.errors import VaecodecError

KEPT = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.fixture(scope="module", autouse=True)
def installed() -> Iterator[None]:
    with samples.all_installed():
        yield


def test_the_runner_names_every_target() -> None:
    assert list(targets()) == list(TARGETS)
    assert {path.parent.name for path in KEPT} <= set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_sound(name: str) -> None:
    """Sealed, they get to the end: a fuzzer that begins with refused files would see little."""
    target = targets()[name]
    seeds = target.seeds()
    assert seeds
    assert all(len(seed) <= target.most_bytes for seed in seeds[:3])
    taken = 0
    for seed in seeds[:4]:
        with suppress(VaecodecError):
            target.read(seed)
            taken += 1
    assert taken


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name[:12]}")
def test_a_kept_input_is_read_or_refused(path: Path) -> None:
    with suppress(VaecodecError):
        targets()[path.parent.name].read(path.read_bytes())
