"""Processes of this machine: they are replaced when they die, and end with whoever asks them."""

import os
import signal
import time

import pytest

from tests.sharding.test_run import contents, made
from vaecodec.sharding.local import LocalEngine
from vaecodec.sharding.run import run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


def test_a_worker_that_is_killed_costs_its_shard_a_second_try(planned, tmp_path):
    made(*planned(tmp_path / "undisturbed", shards=6))
    folder, plan = planned(tmp_path / "out", shards=6)
    engines, attempts = [], []

    def engine():
        engines.append(LocalEngine(folder.address, plan.id, workers=1))
        return engines[0]

    def kill_one(progress, done):
        attempts.append(done)
        if progress.made == 2 and not any(one is not None and one.error for one in attempts):
            os.kill(engines[0].processes[0], signal.SIGKILL)

    outcome = run(folder, plan, engine, report=kill_one)
    assert outcome.manifest is not None
    assert outcome.retried == 1
    (failed,) = [one for one in attempts if one is not None and one.error]
    assert "died" in failed.error
    assert contents(tmp_path / "out") == contents(tmp_path / "undisturbed")


def test_processes_end_with_the_engine(planned, tmp_path):
    folder, plan = planned(tmp_path)
    engine = LocalEngine(folder.address, plan.id, workers=1)
    engine.submit(0)
    assert engine.next_done(60).record.shard == 0
    (process,) = engine.processes
    engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_process_ends_when_nobody_asks_it_any_more(planned, tmp_path):
    folder, plan = planned(tmp_path)
    engine = LocalEngine(folder.address, plan.id, workers=1)
    engine.submit(0)
    assert engine.next_done(60).record is not None
    process = engine._processes[0]
    process.stdin.close()
    assert process.wait(10) == 0
    engine.close()


def test_a_wait_for_nothing_ends(planned, tmp_path):
    folder, plan = planned(tmp_path)
    engine = LocalEngine(folder.address, plan.id, workers=1)
    started = time.monotonic()
    assert engine.next_done(0.05) is None
    assert time.monotonic() - started < 5
    engine.close()
