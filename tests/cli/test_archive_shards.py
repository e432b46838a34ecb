"""archive create --shards: a folder that the other archive commands read as one archive."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaecodec

NAME = "golden-tiny-1"


@pytest.fixture
def pictures(tmp_path, codec):
    """Twelve PNG files below a folder."""
    noise = np.random.default_rng(3).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    (tmp_path / "in").mkdir()
    for k, image in enumerate(codec.lossy.synthesise(codec.lossy.analyse(noise))):
        Image.fromarray(image).save(tmp_path / "in" / f"{k:02d}.png")
    return "in"


def create(out, *more):
    return ("archive", "create", out, "in", "--model", NAME, "--shards", 3, "--workers", 1, *more)


def test_a_folder_of_shards_is_an_archive_for_every_command(run, pictures, tmp_path):
    result = run(*create("out", "--json"))
    assert result.exit_code == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["event"] for event in events] == ["shard"] * 3 + ["end"]
    assert events[-1]["whole"]
    assert (events[-1]["images"], events[-1]["missing"]) == (12, [])
    assert sorted(event["shard"] for event in events[:3]) == [0, 1, 2]
    assert run("archive", "list", "out").stdout.splitlines()[7] == "7\t07.png"
    assert run("archive", "verify", "out").exit_code == 0
    info = json.loads(run("archive", "info", "out", "--json").stdout)
    assert (info["images"], info["segments"], info["named"]) == (12, 3, True)
    assert run("archive", "extract", "out", "got", "--name", "11.png").exit_code == 0
    assert os.listdir("got") == ["11.png"]


def test_a_plan_is_gone_on_with_where_that_is_asked_for(run, fails, pictures):
    assert run(*create("out")).exit_code == 0
    assert "--resume" in fails(*create("out"))
    os.unlink("out/shard-00001.json")
    result = run(*create("out", "--resume", "--json"))
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event.get("shard") for event in events] == [1, None]
    assert "another" in fails("archive", "create", "out", "in", "--shard-images", 2, "--resume")


def test_jobs_of_an_array_make_a_shard_each_and_the_last_step_makes_the_manifest(run, pictures):
    for k in (2, 0, 1):
        assert run(*create("out", "--shard-index", k)).exit_code == 0
    assert not os.path.exists("out/manifest.json")
    assert "is there" in run(*create("out", "--shard-index", k)).stderr
    result = run(*create("out", "--resume", "--json"))
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["end"]
    assert len(vaecodec.Archive("out")) == 12
    assert run(*create("out", "--shard-index", 3)).exit_code == 1


def test_what_is_missing_is_named_at_the_end(run, pictures):
    Path("in/05.png").write_bytes(b"no image")
    result = run(*create("out", "--retries", 0))
    assert result.exit_code == 1
    assert "missing\tshard 1: " in result.stderr
    assert "05.png" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("vaecodec: error: out: 1 of 3 shards missing")
    assert sorted(name for name in os.listdir("out") if name.endswith(".vaea")) == [
        "shard-00000.vaea",
        "shard-00002.vaea",
    ]


def test_force_begins_anew(run, pictures):
    assert run(*create("out")).exit_code == 0
    assert (
        run("archive", "create", "out", "in", "--model", NAME, "--shards", 2, "--workers", 1, "--force").exit_code == 0
    )
    assert json.loads(run("archive", "info", "out", "--json").stdout)["segments"] == 2


@pytest.mark.parametrize(
    "more",
    [
        ("--resume",),
        ("--shard-index", "1"),
        ("--engine", "ray"),
        ("--shards", "2", "--shard-images", "3"),
        ("--shards", "2", "--address", "auto"),
    ],
)
def test_options_that_mean_nothing_together_are_wrong_usage(run, pictures, more):
    assert run("archive", "create", "out", "in", *more).exit_code == 2
    assert run("archive", "create", "-", "in", "--shards", "2").exit_code == 2


def test_a_folder_that_holds_something_else_is_left_alone(fails, pictures):
    os.makedirs("out")
    Path("out/mine.txt").write_text("mine")
    assert "not empty" in fails(*create("out"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_coordinator_killed_at_any_moment_is_gone_on_with(run, pictures, package, tmp_path):
    assert run(*create("undisturbed")).exit_code == 0
    environment = {**os.environ, "PYTHONPATH": str(package)}
    code = "import sys; from vaecodec.cli.entry import main; sys.exit(main())"
    line = [sys.executable, "-P", "-c", code, *map(str, create("out", "--resume"))]
    for delay_s in (0.3, 1.0, 1.5, 2.0, 2.5, 3.0):
        process = subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL)
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    result = run(*create("out", "--resume"))
    assert result.exit_code == 0, result.stderr
    for path in (tmp_path / "undisturbed").iterdir():
        if not path.name.startswith("."):
            assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes(), path.name
