"""Training: batches, plan, resuming, weights, the two priors."""

import json

import numpy as np
import pytest
import torch

from tests.families.photo.tiny import TINY, smooth_pictures, tiny_model
from vaecodec.errors import CheckpointError, ConfigError
from vaecodec.families.photo.batches import Batches
from vaecodec.families.photo.checkpoint import resume, save
from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.plan import Plan
from vaecodec.families.photo.prior import Bottleneck, LogisticMixture, fit_bottleneck
from vaecodec.families.photo.replay import ReplayTrainer
from vaecodec.families.photo.step import Trainer
from vaecodec.families.photo.train import LEARNED, arguments, make_model, make_trainer
from vaecodec.families.photo.weights import load_weights, save_weights


def batches(seed=3, size=4, side=64):
    crops = torch.from_numpy(smooth_pictures(6, 72)).permute(0, 3, 1, 2).contiguous()
    return Batches(crops, torch.Generator().manual_seed(seed), size, side, TINY.anchors - 1.0)


def trainer(learn="all"):
    return Trainer(tiny_model(), batches(), learned=LEARNED[learn])


def advance(run, plan, steps):
    for _ in range(steps):
        run.set(plan.rate(1e-3), plan.decay(0.99))
        run.step()
        plan.take(0.1)


def test_a_batch_has_windows_of_the_crops_and_levels_within_range():
    x, level = batches(size=8).draw()
    assert x.shape == (8, 3, 64, 64)
    assert x.min() >= 0
    assert x.max() <= 1
    assert torch.all((level >= 0) & (level <= 2))


def test_mosaics_fill_a_picture_larger_than_half_a_crop():
    x, _ = batches(size=4, side=48).draw()
    assert x.shape == (4, 3, 48, 48)


def test_a_resumed_run_goes_on_exactly_where_it_was(tmp_path):
    whole, plan = trainer(), Plan(6, None)
    advance(whole, plan, 6)
    first, first_plan = trainer(), Plan(6, None)
    advance(first, first_plan, 3)
    save(tmp_path, first, first_plan, exact=True)
    second, second_plan = trainer(), Plan(6, None)
    resume(tmp_path, second, second_plan)
    assert second_plan.step == 3
    advance(second, second_plan, 3)
    for name, value in whole.averaged().items():
        assert torch.equal(value, second.averaged()[name]), name


def test_a_checkpoint_of_other_parameters_is_refused(tmp_path):
    save(tmp_path, trainer("heads"), Plan(6, None), exact=True)
    with pytest.raises(CheckpointError, match="other parameters"):
        resume(tmp_path, trainer(), Plan(6, None))


def test_a_damaged_checkpoint_is_refused(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"PK nonsense")
    with pytest.raises(CheckpointError, match="whole checkpoint"):
        resume(tmp_path, trainer(), Plan(6, None))


def test_what_is_frozen_stays():
    run = trainer("heads")
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    advance(run, Plan(9, None), 2)
    changed = {name for name, value in run.model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith(("base_heads", "detail_heads")) for name in changed)


def test_a_plan_in_minutes_comes_to_its_end_when_steps_take_longer():
    plan, step_s = Plan(None, 100.0), 1.0
    plan.revise(step_s)
    for step in range(1000):
        if plan.done:
            break
        step_s = 1.0 if step < 20 else 4.0
        plan.take(step_s)
        if step % 5 == 0:
            plan.revise(step_s)
    assert 95 <= plan.spent_s <= 105


def test_a_plan_has_either_steps_or_minutes():
    with pytest.raises(ConfigError):
        Plan(None, None)


def test_weights_come_back_within_float16(tmp_path):
    model = tiny_model()
    paths = save_weights(tmp_path, "weights", TINY, model.state_dict())
    config, state = load_weights(paths)
    assert config == TINY
    for name, value in model.state_dict().items():
        assert torch.allclose(state[name], value, rtol=2e-3, atol=1e-4), name
    again, begun = make_model(paths)
    assert begun
    assert again.config == TINY


def test_what_is_no_weights_file_is_refused(tmp_path):
    path = tmp_path / "weights-0.npz"
    np.savez(path, a=np.zeros(3))
    with pytest.raises(CheckpointError, match="not weights"):
        load_weights([path])


def test_a_config_refuses_unknown_keys_and_comes_back():
    assert PhotoConfig.from_dict(json.loads(json.dumps(TINY.to_dict()))) == TINY
    with pytest.raises(ConfigError, match="unknown keys"):
        PhotoConfig.from_dict({"colour": 1})


def test_a_bottleneck_fitted_to_hyperlatents_costs_about_their_entropy():
    pytest.importorskip("compressai")
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(64, 2, 4, 4, generator=rng).mul(2).round()
    prior = fit_bottleneck(z, rng=rng, steps=400)
    with torch.no_grad():
        found = prior.bits(z).mean().item()
    _, counts = torch.unique(z, return_counts=True)
    entropy = -(counts / counts.sum() * torch.log2(counts / counts.sum())).sum().item()
    assert found < entropy + 0.1
    assert isinstance(prior, Bottleneck)
    assert LogisticMixture(2).bits(z).shape == z.shape


def replaying():
    kinds = {"learned": LEARNED["entropy"], "seed": 5, "most": 12}
    return ReplayTrainer(tiny_model(), batches(), **kinds)


def test_a_resumed_run_has_the_same_store(tmp_path):
    whole, plan = replaying(), Plan(20, None)
    advance(whole, plan, 20)
    first, first_plan = replaying(), Plan(20, None)
    advance(first, first_plan, 11)
    save(tmp_path, first, first_plan, exact=True)
    second, second_plan = replaying(), Plan(20, None)
    resume(tmp_path, second, second_plan)
    second.begin(second_plan.step)
    advance(second, second_plan, 9)
    for name, value in whole.averaged().items():
        assert torch.equal(value, second.averaged()[name]), name


def test_training_from_a_store_makes_the_bits_of_fresh_pictures_fewer():
    run, plan = replaying(), Plan(120, None)
    x, level = batches(seed=11, size=8).draw()
    with torch.no_grad():
        before = run.model(x, level).bits.sum()
    for _ in range(120):
        run.set(3e-3, 0.9)
        run.step()
        plan.take(0.1)
    with torch.no_grad():
        assert run.model(x, level).bits.sum() < 0.97 * before


def test_a_store_goes_with_frozen_transforms_alone(tmp_path):
    values = ["--data", str(tmp_path), "--out", str(tmp_path), "--steps", "1", "--store", "8"]
    with pytest.raises(ConfigError, match="--learn"):
        make_trainer(tiny_model(), batches(), arguments(values))


def test_parts_of_different_checkpoints_are_refused_together(tmp_path, monkeypatch):
    monkeypatch.setattr("vaecodec.families.photo.weights.PART_BYTES", 4000)
    model = tiny_model()
    paths = save_weights(tmp_path, "weights", TINY, model.state_dict())
    assert len(paths) > 1
    _, state = load_weights(paths)
    assert state.keys() == model.state_dict().keys()
    old = paths[-1].read_bytes()
    save_weights(tmp_path, "weights", TINY, {key: value + 1 for key, value in model.state_dict().items()})
    paths[-1].write_bytes(old)  # as a kill before the last part leaves them
    with pytest.raises(CheckpointError, match="different checkpoints"):
        load_weights(paths)
