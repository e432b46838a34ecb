"""OpenBLAS on one thread: for as long as anyone wants it so, in any thread, and no longer."""

import os
import threading

import pytest

from vaecodec import cores as blas
from vaecodec.cores import one_blas_thread

THREADS = blas._threads()
pytestmark = pytest.mark.skipif(THREADS is None, reason="numpy has another BLAS here")


@pytest.fixture
def three():
    """OpenBLAS on three threads, and back."""
    before = THREADS.get()
    THREADS.set(3)
    yield
    THREADS.set(before)


def test_within_another_nothing_changes(three):
    found = THREADS.get()  # fewer than 3 where there are fewer cores
    with one_blas_thread():
        with one_blas_thread():
            assert THREADS.get() == 1
        assert THREADS.get() == 1
    assert THREADS.get() == found


def test_the_last_thread_to_leave_restores(three):
    found, entered, leave = THREADS.get(), threading.Event(), threading.Event()

    def hold():
        with one_blas_thread():
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=hold)
    with one_blas_thread():
        other.start()
        entered.wait(10)
    assert THREADS.get() == 1
    leave.set()
    other.join()
    assert THREADS.get() == found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_begins_anew(three):
    with one_blas_thread():
        child = os.fork()
        if child == 0:
            os._exit(blas._Inside.count)
        assert os.waitpid(child, 0)[1] == 0
        assert blas._Inside.count == 1
