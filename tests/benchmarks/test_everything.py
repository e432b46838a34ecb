"""`make bench`: which results stand, which are made, and what is said of the rest."""

import json
from pathlib import Path

import pytest

from benchmarks import everything
from benchmarks.everything import LEFT_OUT, PAGES, STEPS, Step, models_of, resolved, run_steps, unfit
from benchmarks.measuring.machine import RESULTS

SCRIPTS = {path.stem for path in Path(everything.__file__).parent.glob("*.py") if path.stem != "__init__"}
NAME, FINGERPRINT = resolved("mnist")


def write(folder, name, result):
    (folder / name).write_text(json.dumps(result), encoding="utf-8")


def test_every_script_is_a_step_a_page_or_left_out_with_a_reason():
    left_out = {name.split()[0] for name, _ in LEFT_OUT}
    assert {step.name for step in STEPS} | set(PAGES) | left_out | {"everything"} == SCRIPTS


def test_every_result_that_the_pages_show_is_made_or_left_out():
    made = {step.result for step in STEPS}
    left_out = ["five-betas", "exact-cost", "published", "rotation", "classical-settings", "side-by-side"]
    left_out += ["disentanglement", "joint-price", "packing", "photograph", "scale", "shard"]
    left_out += ["folder-colour", "interruptions", "endings", "faults", "installs", "kills", "portability", "sharing"]
    left_out += ["mutation", "mutants", "equivalent-mutants", "hostile"]
    for path in RESULTS.glob("*.json"):
        assert path.name in made or any(path.name.startswith(name) for name in left_out), path.name


def test_what_comes_first_is_done_within_the_hour():
    readme = [step for step in STEPS if step.name in ("rate_distortion", "lossless", "flagship")]
    assert list(STEPS[: len(readme)]) == readme
    assert sum(step.minutes for step in readme) <= everything.MINUTES
    assert all(step.minutes <= everything.MINUTES for step in STEPS)


def test_a_result_stands_while_its_name_leads_to_the_same_model(tmp_path):
    step = Step("x", "", "x.json", 1, ("mnist",))
    assert unfit(step, tmp_path) == "not there"
    for model in (NAME, {"name": NAME}, {"name": NAME, "fingerprint": FINGERPRINT}):
        write(tmp_path, "x.json", {"model": model})
        assert unfit(step, tmp_path) is None
    write(tmp_path, "x.json", {"model": {"name": NAME, "fingerprint": "00" * 32}})
    assert unfit(step, tmp_path) == f"{NAME} has another fingerprint"
    write(tmp_path, "x.json", {"model": "mnist-1"})
    assert unfit(step, tmp_path) == f"of mnist-1; today's are {NAME}"


def test_a_result_of_other_images_does_not_stand(tmp_path, monkeypatch):
    step = Step("x", "", "x.json", 1)
    write(tmp_path, "x.json", {"data": {"name": "mnist", "split": "test", "pixels_sha256": "0"}})
    for today, said in (("0", None), (None, None), ("1", "the test images of mnist are others")):
        monkeypatch.setattr(everything, "pixels_sha256", lambda data, split, today=today: today)
        assert unfit(step, tmp_path) == said


def test_models_are_found_wherever_a_result_names_them():
    result = {"model": "a", "scale_model": "b", "results": {"mnist": {"model": "c"}}, "zoo": [{"name": "d"}]}
    assert [name for name, _ in models_of(result)] == ["a", "b", "d", "c"]


def test_what_fits_is_not_made_and_what_does_not_fit_the_time_waits(capsys, monkeypatch):
    steps = (
        Step("there", "", "there.json", 5),
        Step("short", "--x", "short.json", 2),
        Step("long", "", "long.json", 50),
        Step("absent", "", "absent.json", 1, needs=("/no/such/folder", "install it")),
        Step("broken", "", "broken.json", 1),
    )
    monkeypatch.setattr(everything, "STEPS", steps)
    monkeypatch.setattr(everything, "unfit", lambda step: None if step.name == "there" else "not there")
    monkeypatch.setattr(everything, "made", lambda step: step.name != "broken")
    failed, waiting = run_steps(set(), 10, only_say=False)
    assert failed == ["python -m benchmarks.broken"]
    assert waiting == [
        ("python -m benchmarks.long", "not there; takes about 50 minutes, 10 are left"),
        ("python -m benchmarks.absent", "/no/such/folder is not there: install it"),
    ]
    said = capsys.readouterr().out
    assert "python -m benchmarks.there: there already" in said
    assert "python -m benchmarks.short --x: done, 0.0 minutes" in said
    run_steps({"there"}, 10, only_say=True)
    assert "python -m benchmarks.there: asked for; takes about 5 minutes" in capsys.readouterr().out


def test_a_step_that_writes_nothing_has_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(everything, "RESULTS", tmp_path)
    step = Step("machine_that_is_not_there", "", "x.json", 1)
    assert not everything.made(step)
    write(tmp_path, "x.json", {})
    assert not everything.made(step)


def test_a_name_that_is_no_step_is_refused(capsys):
    with pytest.raises(SystemExit):
        everything.main(["--again", "speeed", "--list"])
    assert "there are archive, classical" in capsys.readouterr().err
