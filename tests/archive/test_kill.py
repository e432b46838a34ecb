"""kill -9 at every write, sync, cut and rename of create and append: the old archive is there, or the new one.

A driver process forks a child for each point; the child kills itself there, half of the write done.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaecodec

TINY = Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem"
DRIVER = """
import json, os, signal, sys
sys.path.insert(0, sys.argv[4])
import numpy as np
import vaecodec
from vaecodec.archive import output as archive_output

folder, what, tiny = sys.argv[1:4]
codec = vaecodec.load(tiny)
archive_output.BUFFER_BYTES = 1  # every block is a write of its own
images = np.random.default_rng(1).integers(0, 256, (60, 28, 28), dtype=np.uint8)


def write(path):
    if what == "create":
        writer = vaecodec.ArchiveWriter.create(path, codec, block_images=4, metadata={"is": "new"}, overwrite=True)
    else:
        writer = vaecodec.ArchiveWriter.append(path, codec, block_images=4, metadata={"is": "new"})
    with writer:
        writer.add_batch(images, [f"new/{k}" for k in range(60)])


def child(path, point):
    left = point
    real = {name: getattr(os, name) for name in ("write", "fsync", "ftruncate", "replace")}

    def counted(name):
        def call(*arguments):
            nonlocal left
            if left == 0:
                if name == "write":
                    real["write"](arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return real[name](*arguments)

        return call

    for name in real:
        setattr(os, name, counted(name))
    write(path)


ended, point = [], 0
while True:
    path = os.path.join(folder, str(point), "a.vaea")
    pid = os.fork()
    if pid == 0:
        child(path, point)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    ended.append(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status))
    if not os.WIFSIGNALED(status):
        break
    point += 1
print(json.dumps(ended))
"""
POINTS = 40  # more than there are


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("what", ["create", "append"])
def test_a_kill_at_any_point_leaves_the_old_archive_or_the_new_one(tmp_path, what):
    codec = vaecodec.load(TINY)
    old = np.random.default_rng(0).integers(0, 256, (10, 28, 28), dtype=np.uint8)
    new = np.random.default_rng(1).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    with vaecodec.ArchiveWriter.create(tmp_path / "old", codec, metadata={"is": "old"}) as writer:
        writer.add_batch(old, [f"old/{k}" for k in range(10)])
    for point in range(POINTS):
        (tmp_path / str(point)).mkdir()
        (tmp_path / str(point) / "a.vaea").write_bytes((tmp_path / "old").read_bytes())
    arguments = [sys.executable, "-c", DRIVER, str(tmp_path), what, str(TINY), str(TINY.parents[2])]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=110)
    ended = json.loads(done.stdout)
    assert len(ended) >= 20
    assert ended == [9] * (len(ended) - 1) + [0]

    before = codec.lossy.synthesise(codec.lossy.analyse(old))
    after = codec.lossy.synthesise(codec.lossy.analyse(new))
    after = after if what == "create" else np.concatenate([before, after])
    seen = set()
    for point in range(len(ended)):
        with vaecodec.Archive(tmp_path / str(point) / "a.vaea", model=codec) as archive:
            state = archive.metadata["is"]
            assert np.array_equal(archive.batch(range(len(archive))), {"old": before, "new": after}[state])
            assert archive.number_of("new/59" if state == "new" else "old/9") == len(archive) - 1
            assert archive.verify().lost == ()
            seen.add(state)
    assert seen == {"old", "new"}
    with vaecodec.ArchiveWriter.append(tmp_path / "15" / "a.vaea", codec) as writer:
        writer.add(old[0])
    assert vaecodec.Archive(tmp_path / "15" / "a.vaea", model=codec).verify().whole
