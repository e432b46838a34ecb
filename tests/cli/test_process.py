"""Commands as processes of their own: start-up, pipes, full disks, interrupts, and never a traceback."""

import os
import resource
import signal
import statistics
import subprocess
import sys
import time

import pytest

NAME = "golden-tiny-1"
CONSOLE_SCRIPT = "import sys; from vaecodec.cli.main import main; sys.exit(main())"
STARTUP_BAR = 2.5
ROUNDS, ATTEMPTS = 5, 4


@pytest.fixture
def compressed(tmp_path, stream):
    path = tmp_path / "digit.vae"
    path.write_bytes(stream)
    return path


def clean_error(done):
    """The one line of stderr of a process that ended with code 1."""
    assert done.returncode == 1, done
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("vaecodec: error: ")
    return line


def test_decompress_starts_in_two_and_a_half_times_numpys_and_pillows_import(package, compressed, folders):
    """Medians of alternating runs; a machine that is busy with something else gets more than one attempt."""
    environment = {**os.environ, "PYTHONPATH": str(package)}
    base = [sys.executable, "-P", "-c", "import numpy, PIL.Image"]
    ours = [sys.executable, "-P", "-c", CONSOLE_SCRIPT, "decompress", str(compressed), "out.png", "--force"]

    def elapsed_s(command):
        before = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return time.perf_counter() - before

    elapsed_s(ours)  # writes the bytecode
    ratios = []
    for _ in range(ATTEMPTS):
        pairs = [(elapsed_s(base), elapsed_s(ours)) for _ in range(ROUNDS)]
        ratios.append(statistics.median(b for _, b in pairs) / statistics.median(a for a, _ in pairs))
        if ratios[-1] <= STARTUP_BAR:
            return
    pytest.fail(f"decompress takes {ratios} times what importing numpy and PIL.Image takes, more than {STARTUP_BAR}")


def test_decompress_imports_no_more_than_it_needs(python, compressed):
    code = (
        "import sys, vaecodec.cli.main as m\n"
        "try: m.main(sys.argv[1:])\n"
        "finally: print(*(n for n in sys.modules if '.' not in n or n.startswith('vaecodec')))"
    )
    loaded = set(python(code, "decompress", compressed).stdout.decode().split())
    assert not {"torch", "onnxruntime", "compressai", "tempfile", "importlib_metadata"} & loaded
    assert {name for name in loaded if name.startswith("vaecodec.")} & {
        *("vaecodec.training", "vaecodec.models", "vaecodec.data", "vaecodec.evaluation"),
        *("vaecodec.cli.compress", "vaecodec.cli.train"),
        *(f"vaecodec.runtime.{name}" for name in ("conditional_priors", "exact_plan", "lossless_part", "rate_control")),
        *("vaecodec.bitstream.stream_batch", "vaecodec.entropy.lanes"),
    } == set()


def test_streams_go_through_pipes(process, digit, codec, stream):
    forth = process("compress", "--model", NAME, "-", "-", input=digit.read_bytes())
    assert (forth.returncode, forth.stdout) == (0, stream)
    back = process("decompress", "-", input=forth.stdout)
    assert back.returncode == 0
    assert back.stdout.startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_an_error_of_one_line(process, compressed):
    assert "No space left on device" in clean_error(process("decompress", compressed, "/dev/full"))
    for arguments in (("decompress", compressed, "-"), ("models", "--json"), ("--help",)):
        with open("/dev/full", "wb") as full:
            assert "No space left on device" in clean_error(process(*arguments, stdout=full))


def test_a_disk_that_fills_up_on_the_way_leaves_nothing(process, digit, compressed, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))

    (tmp_path / "old.png").write_text("old")
    before = sorted(tmp_path.iterdir())
    for arguments in (
        ("decompress", compressed),
        ("decompress", compressed, "old.png", "--force"),
        ("compress", "--model", NAME, digit, "out.vae"),
    ):
        assert "File too large" in clean_error(process(*arguments, preexec_fn=limit))
        assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "old.png").read_text() == "old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(process, compressed, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert "Permission denied" in clean_error(process("decompress", compressed, closed / "out.png"))


def test_a_reader_that_goes_away_is_no_traceback(package, compressed):
    environment = {**os.environ, "PYTHONPATH": str(package)}
    for arguments in (("models",), ("decompress", compressed, "-")):
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, "-P", "-c", CONSOLE_SCRIPT, *map(str, arguments)]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False)
        os.close(writing)
        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr


def test_an_interrupt_is_no_traceback(package, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    environment = {**os.environ, "PYTHONPATH": str(package)}
    command = [sys.executable, "-P", "-c", CONSOLE_SCRIPT, "decompress", "pipe", "out.png"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment)
    with started, open(tmp_path / "pipe", "wb"):  # opens when the process reads
        time.sleep(0.2)
        started.send_signal(signal.SIGINT)
        error = started.communicate(timeout=30)[1].decode()
    assert started.returncode == 130
    assert error.split("\n")[-2:] == ["vaecodec: error: interrupted", ""]
    assert "Traceback" not in error
    assert not (tmp_path / "out.png").exists()


def test_the_module_runs_as_the_command_does(python):
    code = (
        "import runpy, sys; sys.argv = ['vaecodec', '--version']; runpy.run_module('vaecodec.cli', run_name='__main__')"
    )
    assert python(code).stdout.startswith(b"vaecodec, version ")


def test_a_closed_standard_stream_is_an_error_of_one_line(process, compressed):
    assert "closed" in clean_error(process("decompress", compressed, "-", stdout=None, preexec_fn=lambda: os.close(1)))
    assert "closed" in clean_error(process("decompress", "-", "out.png", preexec_fn=lambda: os.close(0)))
