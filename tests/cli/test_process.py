"""Commands as processes of their own: start-up, pipes, full disks, interrupts, and never a traceback."""

import os
import resource
import signal
import statistics
import subprocess
import sys
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "golden-tiny-1"
CONSOLE_SCRIPT = "import sys; from vaecodec.cli.entry import main; sys.exit(main())"
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
    rooms = {".".join(name.split(".")[:2]) for name in loaded if name.startswith("vaecodec.")}
    assert (
        not {f"vaecodec.{room}" for room in ("archive", "data", "evaluation", "layers", "pixels", "training")} & rooms
    )
    unneeded = {
        *("vaecodec.cli.compress", "vaecodec.cli.train"),
        *("vaecodec.codec.search", "vaecodec.codec.effort", "vaecodec.codec.lossless", "vaecodec.codec.groups"),
        *("vaecodec.exact.plan", "vaecodec.modelfile.priors", "vaecodec.modelfile.lossless_part"),
        *("vaecodec.bitstream.stream_batch", "vaecodec.entropy.lanes"),
    }
    assert not unneeded & loaded
    assert [name for name in unneeded if not find_spec(name)] == []  # a name that has gone would prove nothing


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


@pytest.fixture
def signals_arrive():
    """Commands get signals though this process was started by nohup, or in the background, which ignore some."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals_arrive")
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


LATE = """
import signal, sys, importlib.abc
WHERE = sys.argv[1]
class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == WHERE:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from vaecodec.cli.entry import main
sys.argv = ["vaecodec", *sys.argv[2:]]
main()
"""


@pytest.mark.usefixtures("signals_arrive")
@pytest.mark.parametrize("module", ["click", "vaecodec.cli.main", "vaecodec.cli.decompress", "numpy", "PIL.Image"])
def test_an_interrupt_during_the_imports_is_no_traceback(python, compressed, module, tmp_path):
    done = python(LATE, module, "decompress", compressed, "out.png")
    assert done.returncode == 130
    assert done.stderr.decode().splitlines()[-1] == "vaecodec: error: interrupted"
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "out.png").exists()


ENDS_ITSELF = """
import os, signal, sys
import vaecodec
from vaecodec.cli.main import main
add, before = vaecodec.ArchiveWriter.add, len(os.listdir("."))
def late(self, *arguments, **options):
    add(self, *arguments, **options)
    if len(self) == 2:
        assert len(os.listdir(".")) > before  # a temporary file is there
        os.kill(os.getpid(), int(sys.argv[1]))
vaecodec.ArchiveWriter.add = late
main(sys.argv[2:])
"""


@pytest.mark.usefixtures("signals_arrive")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_signals_that_end_a_command_leave_nothing_half_written(python, digit, name, code, tmp_path):
    number = getattr(signal, name)
    arguments = ("archive", "create", "a.vaea", digit, digit, digit, "--model", NAME)
    done = python(ENDS_ITSELF, int(number), *arguments)
    assert (done.returncode, os.listdir(tmp_path)) == (code, []), done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip().startswith(b"vaecodec: error: ")
    if name == "SIGHUP":  # nohup's way
        ignored = f"import signal; signal.signal({int(number)}, signal.SIG_IGN)\n{ENDS_ITSELF}"
        assert python(ignored, int(number), *arguments).returncode == 0


SIGNALLED_WHERE_NOTHING_CATCHES = """
import os, signal, sys
from vaecodec.files import outputs
from vaecodec.cli.main import main
lock = outputs._lock
def struck(descriptor):  # the temporary file is there, and no caller knows of it yet
    signal.raise_signal(int(sys.argv[1]))
    return lock(descriptor)
outputs._lock = struck
main(sys.argv[2:])
"""


@pytest.mark.usefixtures("signals_arrive")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_between_a_file_and_who_would_remove_it_leaves_nothing(python, digit, name, code, tmp_path):
    arguments = ("compress", digit, "a.vae", "--model", NAME)
    done = python(SIGNALLED_WHERE_NOTHING_CATCHES, int(getattr(signal, name)), *arguments)
    assert (done.returncode, os.listdir(tmp_path)) == (code, []), done.stderr


TWICE = """
import signal, sys
import vaecodec
from vaecodec.cli import boundary
from vaecodec.cli.main import main
add, show = vaecodec.ArchiveWriter.add, boundary._show
def first(self, *arguments, **options):
    signal.raise_signal(signal.SIGTERM)
def again(error, code):
    boundary._show = show
    signal.raise_signal(signal.SIGHUP)
    return show(error, code)
vaecodec.ArchiveWriter.add, boundary._show = first, again
main(sys.argv[1:])
"""


@pytest.mark.usefixtures("signals_arrive")
def test_a_second_signal_while_the_first_is_told_is_no_traceback(python, digit, tmp_path):
    done = python(TWICE, "archive", "create", "a.vaea", digit, "--model", NAME)
    assert (done.returncode, os.listdir(tmp_path)) == (129, [])
    assert done.stderr.splitlines() == [b"vaecodec: error: Hangup"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8:strict"])
def test_letters_that_the_terminal_does_not_have_are_no_error(process, digit, encoding, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    for arguments in (("models",), ("--help",), ("archive", "create", "--help"), ("compress", "--help")):
        done = process(*arguments)
        assert (done.returncode, done.stderr) == (0, b"")
    letter = b"\\u03b2" if encoding in ("latin-1", "cp1252") else "β".encode()  # click takes ASCII for a mistake
    assert letter in process("models").stdout
    names = ["βeta.png", "ü.png", "日本.png", os.fsdecode(b"caf\xe9.png")]
    for name in names[:3]:
        (tmp_path / name).write_bytes(digit.read_bytes())
    assert process("archive", "create", "a.vaea", *names[:3], "--model", NAME).returncode == 0
    assert process("archive", "list", "a.vaea").stdout.count(b"\n") == 3
    done = process("compress", names[3], "out.vae")
    assert "No such file" in clean_error(done)


def test_a_package_in_a_zip_file_works_with_models_of_the_users(tmp_path, compressed, folders, monkeypatch):
    archive = tmp_path / "whole.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for folder, name in ((ROOT / "vaecodec", "vaecodec"), (ROOT / "cli", "vaecodec/cli")):
            for path in folder.rglob("*.py"):
                file.write(path, f"{name}/{path.relative_to(folder)}")
        file.write(ROOT / "vaecodec" / "zoo" / "aliases.json", "vaecodec/zoo/aliases.json")
    monkeypatch.setenv("PYTHONPATH", str(archive))

    def run(*arguments):
        command = [sys.executable, "-P", "-c", CONSOLE_SCRIPT, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, timeout=60, check=False)

    assert run("decompress", compressed, "out.png").returncode == 0
    assert b"golden-tiny-1" in run("models").stdout
    (folders / f"{NAME}.vaem").unlink()
    os.mkfifo(folders / "pipe.vaem")
    assert "in a zip file: install it" in clean_error(run("compress", "out.png", "out.vae", "--model", "mnist"))


def test_a_progress_line_is_no_wider_than_the_terminal(monkeypatch):
    from vaecodec.cli import progress

    for columns, width in ((40, 39), (200, 79), (0, 79), (1, 1)):
        monkeypatch.setattr(os, "get_terminal_size", lambda _, columns=columns: os.terminal_size((columns, 24)))
        monkeypatch.setattr(sys, "stderr", open(os.devnull, "w"))  # noqa: SIM115
        assert progress._width() == width


def test_the_module_runs_as_the_command_does(python):
    code = (
        "import runpy, sys; sys.argv = ['vaecodec', '--version']; runpy.run_module('vaecodec.cli', run_name='__main__')"
    )
    assert python(code).stdout.startswith(b"vaecodec, version ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_options(python, monkeypatch, shell):
    monkeypatch.setenv("_VAECODEC_COMPLETE", f"{shell}_source")
    assert b"_VAECODEC_COMPLETE" in python(CONSOLE_SCRIPT).stdout
    monkeypatch.setenv("_VAECODEC_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "vaecodec archive cr")
    monkeypatch.setenv("COMP_CWORD", "cr" if shell == "fish" else "2")
    assert b"create" in python(CONSOLE_SCRIPT).stdout


def test_a_closed_standard_stream_is_an_error_of_one_line(process, compressed):
    assert "closed" in clean_error(process("decompress", compressed, "-", stdout=None, preexec_fn=lambda: os.close(1)))
    assert "closed" in clean_error(process("decompress", "-", "out.png", preexec_fn=lambda: os.close(0)))
