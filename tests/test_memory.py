import sys

import pytest

from vaecodec import memory
from vaecodec.memory import memory_bytes


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what tells it differs")
def test_what_may_be_used_is_no_more_than_the_machine_has() -> None:
    found = memory_bytes()
    assert found is not None
    with open("/proc/meminfo") as file:
        total_kib = int(next(line for line in file if line.startswith("MemTotal:")).split()[1])
    assert 1 << 26 <= found <= 1024 * total_kib


def test_the_limit_of_a_container_counts(tmp_path, monkeypatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CONTROL_GROUPS", (str(limit),))
    without = memory_bytes()
    limit.write_text("max\n")
    assert memory_bytes() == without
    limit.write_text("12345678\n")
    assert memory_bytes() == 12345678


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
def test_the_limit_of_the_address_space_counts(monkeypatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 25, resource.RLIM_INFINITY))
    assert memory_bytes() == 1 << 25
