"""A codec goes to other processes: forked, spawned and pickled, before it was used and after it."""

import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest

import vaecodec
from vaecodec.codec.codec import Codec
from vaecodec.errors import ModelMismatch

IMAGE = (np.arange(784) % 251).astype(np.uint8).reshape(28, 28)
CODECS = {"lossy": ("mnist", {}), "exact": ("mnist-lossless", {"lossless": True})}
# A process of its own: pytest's holds too much that a fork would take along.
FORKS = """
import gc, os, signal, sys
import numpy as np
import vaecodec

codec, image = vaecodec.load("mnist"), np.zeros((28, 28), np.uint8)
wanted = codec.compress(image)
if os.fork() == 0:
    signal.alarm(60)
    {child}
status = os.wait()[1]
assert codec.compress(image) == wanted
print(status)
"""
CHILDREN = {
    "compresses and leaves at once": "assert codec.compress(image) == wanted; os._exit(0)",
    "compresses and exits": "assert codec.compress(image) == wanted; sys.exit(0)",
    "only exits": "sys.exit(0)",
    "deletes the codec and exits": "del codec; gc.collect(); sys.exit(0)",
    "loads its own": "assert vaecodec.load('mnist').compress(image) == wanted; sys.exit(0)",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("child", CHILDREN)
def test_a_forked_child_of_a_process_that_has_compressed_does_not_hang(child: str) -> None:
    code = FORKS.replace("{child}", CHILDREN[child])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "0\n", (done.stderr, f"{signal.SIGALRM.value} would be the alarm")


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("name", CODECS)
def test_a_codec_is_pickled_as_its_name_before_use_and_after(name: str, used: bool) -> None:
    model, options = CODECS[name]
    codec = vaecodec.load(model)
    wanted = codec.compress(IMAGE, **options)
    if not used:
        codec = vaecodec.load(model)
    stored = pickle.dumps(codec)
    assert len(stored) < 500
    for other in (pickle.loads(stored), copy.deepcopy(codec)):
        assert other.compress(IMAGE, **options) == wanted


def test_a_codec_of_no_file_is_pickled_with_its_model() -> None:
    codec = Codec(vaecodec.load("mnist").model)
    wanted = codec.compress(IMAGE)
    assert pickle.loads(pickle.dumps(codec)).compress(IMAGE) == wanted


def test_a_model_that_is_another_one_here_is_refused() -> None:
    make, (source, fingerprint) = vaecodec.load("mnist").__reduce__()
    with pytest.raises(ModelMismatch, match="mnist"):
        make(source, bytes(len(fingerprint)))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_compresses_as_one_process_does(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system does not {method}")
    codec = vaecodec.load("mnist")
    wanted = codec.compress(IMAGE)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map_async(codec.compress, [IMAGE] * 4).get(100) == [wanted] * 4
