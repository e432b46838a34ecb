"""Total correlation in bits: estimators against slow versions, and against truths that are known."""

import math

import numpy as np
import pytest
from scipy.special import digamma

from vaecodec.data.dsprites_factors import COUNT, FACTOR_SIZES, classes_of
from vaecodec.evaluation.disentanglement import entanglement
from vaecodec.evaluation.disentanglement.autoregressive import held_out
from vaecodec.evaluation.disentanglement.collisions import collision_entropy
from vaecodec.evaluation.disentanglement.entanglement import marginal_bits
from vaecodec.evaluation.disentanglement.minibatch import batch_correlation, minibatch_correlation_bits
from vaecodec.evaluation.disentanglement.neighbours import neighbour_correlation_bits
from vaecodec.evaluation.disentanglement.price import price
from vaecodec.evaluation.disentanglement.rotation import random_rotation

STEP = 0.25  # of a latent's deviation


def within_the_bar(found, truth):
    """20 % or half a bit."""
    return abs(found - truth) <= max(0.2 * truth, 0.5)


def gaussian(n, d, correlation, seed=0):
    """(samples, their total correlation in bits): all pairs correlated alike."""
    matrix = np.full((d, d), correlation) + (1 - correlation) * np.eye(d)
    samples = np.random.default_rng(seed).standard_normal((n, d)) @ np.linalg.cholesky(matrix).T
    return samples, -0.5 * np.linalg.slogdet(matrix)[1] / math.log(2)


def rotated_grid(step, seed=0):
    """(symbols of all dSprites factors rotated and rounded, ΣH, H), exact: each row of the grid is equally likely."""
    factors = classes_of(np.arange(COUNT)).astype(np.float64)
    turned = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    symbols = np.rint(turned @ random_rotation(len(FACTOR_SIZES), np.random.default_rng(seed)) / step).astype(np.int64)
    low = symbols - symbols.min(axis=0)
    whole = np.ravel_multi_index(low.T, low.max(axis=0) + 1)
    marginals = sum(entropy(np.bincount(column)) for column in low.T)
    return symbols, marginals, entropy(np.unique(whole, return_counts=True)[1])


def entropy(counts):
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def test_neighbours_equal_a_version_that_compares_all_with_all():
    x, _ = gaussian(60, 3, 0.5)
    scaled = x / x.std(axis=0)
    gaps = np.abs(scaled[:, None] - scaled)
    total = 0.0
    for i in range(60):
        reach = sorted(gaps[i].max(axis=1))[3]
        for j in range(3):
            total += digamma(sum(gaps[i, k, j] < reach for k in range(60) if k != i) + 1) / 60
    slow = (digamma(3) + 2 * digamma(60) - total) / math.log(2)
    assert neighbour_correlation_bits(x, rng=np.random.default_rng(0)) == pytest.approx(slow, abs=1e-6)


def test_collisions_equal_a_count_of_pairs():
    symbols = np.random.default_rng(0).integers(0, 4, (120, 2))
    same = sum((symbols[i] == symbols[j]).all() for i in range(120) for j in range(i))
    found = collision_entropy(symbols)
    assert found.collisions == same
    assert found.bits == pytest.approx(-math.log2(same / (120 * 119 / 2)), abs=1e-9)
    assert found.interval.low < 4 < found.interval.high


def test_the_interval_of_collisions_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.full(500, 0.5))
    truth = -math.log2(np.square(shares).sum())
    inside = 0
    for _ in range(100):
        interval = collision_entropy(rng.choice(500, (400, 1), p=shares)).interval
        inside += interval.low <= truth <= interval.high
    assert inside >= 88


def test_different_members_of_a_population_agree_with_themselves_too():
    """Without replacement nothing collides; two independent draws of 1,000 images do, 1 time in 1,000."""
    members = np.random.default_rng(0).permutation(1000)[:400, None]
    assert collision_entropy(members, population=1000).bits == pytest.approx(math.log2(1000))


def test_no_collision_still_bounds_the_entropy_from_below():
    found = collision_entropy(np.arange(1000)[:, None])
    assert found.bits == math.inf
    assert found.interval.low == pytest.approx(math.log2(1e6 / 4.744**2))
    with pytest.raises(ValueError, match="two images"):
        collision_entropy(np.zeros((1, 2), np.int64))


def test_marginal_bits_are_the_sum_of_entropies():
    symbols = np.stack([np.arange(8000) % 4, np.arange(8000) // 4 % 8], axis=1)
    assert marginal_bits(symbols) == pytest.approx(5, abs=0.01)


def test_the_joint_model_pays_what_its_own_probabilities_say():
    """Two latents, the second a noisy copy: held-out bits near H(second | first), never far below."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 8, 4000)
    second = np.where(rng.random(4000) < 0.9, first, rng.integers(0, 8, 4000))
    found = held_out(np.stack([first, second], axis=1), rng=rng)
    shares = np.array([0.9 + 0.1 / 8, *[0.1 / 8] * 7])
    assert found.joint_bits[:, 1].mean() == pytest.approx(entropy(shares), abs=0.1)
    assert found.joint_bits[:, 0] == pytest.approx(found.alone_bits[:, 0], abs=1e-9)
    saved, interval = found.saved(rng)
    assert saved == pytest.approx(3 - entropy(shares), abs=0.1)
    assert interval.low < saved < interval.high


def test_the_price_is_paid_in_real_bytes():
    """Three latents that are one: two thirds of a factorised payload are entanglement."""
    rng = np.random.default_rng(0)
    one = rng.integers(0, 200, 6000)
    found = price(held_out(np.stack([one, 3 * one, -one], axis=1), rng=rng), images=60)
    assert found.images == 60
    assert found.alone_bits == pytest.approx(3 * math.log2(200), abs=0.3)
    assert found.alone_bits / 8 <= found.alone_bytes <= found.alone_bits / 8 + 1
    assert found.joint_bits / 8 <= found.joint_bytes <= found.joint_bits / 8 + 1
    assert found.saved_bytes > 1.4


def test_the_joint_model_gives_probabilities():
    found = held_out(np.random.default_rng(0).integers(0, 5, (500, 3)), rng=np.random.default_rng(1))
    for table, alone in zip(found.joint, found.alone, strict=True):
        assert table.sum(axis=1) == pytest.approx(np.ones(100))
        assert alone.sum() == pytest.approx(1)


def test_independent_latents_have_nothing_to_save():
    found = held_out(np.random.default_rng(0).integers(0, 6, (3000, 3)), rng=np.random.default_rng(1))
    assert found.saved(np.random.default_rng(2))[0] == pytest.approx(0, abs=0.02)
    with pytest.raises(ValueError, match="whole numbers"):
        held_out(np.zeros((10, 2)), rng=np.random.default_rng(0))


def test_both_estimators_meet_the_bar_on_a_small_gaussian():
    x, truth = gaussian(4000, 4, 0.7)
    symbols = np.rint(x / STEP).astype(np.int64)
    found = entanglement(symbols, rng=np.random.default_rng(0))
    assert within_the_bar(found.model.value, truth)
    assert within_the_bar(found.neighbours.value, truth)
    assert found.source is None
    assert found.bounds.low <= truth <= found.bounds.high


def test_what_the_images_hold_bounds_entanglement_from_both_sides():
    """Factors of a grid turned by 45°: the code is one to one, so that H(s) is what the grid holds."""
    grid = np.stack(np.unravel_index(np.arange(1024), (32, 32)), axis=1)
    rows = np.random.default_rng(0).integers(0, 1024, 3000)
    symbols = np.stack([grid[rows].sum(axis=1), grid[rows, 0] - grid[rows, 1]], axis=1)
    found = entanglement(symbols, rng=np.random.default_rng(0), source_bits=10)
    truth = (
        sum(entropy(np.bincount(column - column.min())) for column in (grid.sum(axis=1), grid[:, 0] - grid[:, 1])) - 10
    )
    assert found.source.value == pytest.approx(truth, abs=0.1)
    assert found.collisions.value == pytest.approx(truth, abs=0.15)
    assert found.bounds.low <= truth + 0.05
    assert found.bounds.high >= truth


def test_a_minibatch_equals_its_slow_version():
    rng = np.random.default_rng(0)
    mean, sigma = rng.standard_normal((6, 2)), rng.uniform(0.3, 1, (6, 2))
    found = batch_correlation(mean, sigma, 100, np.random.default_rng(3))
    z = mean + sigma * np.random.default_rng(3).standard_normal((6, 2))
    total = 0.0
    for i in range(6):
        joint, alone = 0.0, [0.0, 0.0]
        for m in range(6):
            weight = 1 / 100 if m == i else 99 / (100 * 5)
            parts = [
                math.exp(-0.5 * ((z[i, j] - mean[m, j]) / sigma[m, j]) ** 2) / (sigma[m, j] * math.sqrt(2 * math.pi))
                for j in range(2)
            ]
            joint += weight * parts[0] * parts[1]
            alone = [a + weight * p for a, p in zip(alone, parts, strict=True)]
        total += (math.log2(joint) - sum(math.log2(a) for a in alone)) / 6
    assert found == pytest.approx(total, abs=1e-6)


def test_the_minibatch_number_is_right_where_posteriors_overlap():
    rng = np.random.default_rng(0)
    mean = 0.3 * rng.standard_normal((2000, 2))
    found = minibatch_correlation_bits(mean, np.ones_like(mean), images=2000, rng=rng, batch=500)
    assert found == pytest.approx(0, abs=0.02)


def test_the_minibatch_number_of_independent_latents_is_their_rate_less_the_images_where_posteriors_do_not_overlap():
    """Where it fails: the truth is 0, what it says grows bit for bit with the rate and falls with their number."""
    rng = np.random.default_rng(0)
    mean = rng.standard_normal((4000, 10))
    said = {}
    for sigma in (0.05, 0.025):
        for images in (4000, 16_000):
            args = (mean, np.full_like(mean, sigma))
            said[sigma, images] = minibatch_correlation_bits(*args, images=images, rng=rng, batch=256, batches=2)
    assert min(said.values()) > 10
    assert said[0.025, 4000] - said[0.05, 4000] == pytest.approx(10, abs=1.5)  # a bit more in each of ten latents
    assert said[0.05, 16_000] - said[0.05, 4000] == pytest.approx(-2, abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize(("d", "correlation"), [(5, 0.6), (10, 0.5), (10, 0.8)])
def test_both_estimators_meet_the_bar_on_gaussians(d, correlation):
    x, truth = gaussian(20_000, d, correlation)
    found = entanglement(np.rint(x / STEP).astype(np.int64), rng=np.random.default_rng(0))
    assert within_the_bar(found.model.value, truth)
    assert within_the_bar(found.neighbours.value, truth)


@pytest.mark.slow
@pytest.mark.parametrize("step", [0.1, 0.25, 0.5, 1.0])
def test_the_bounds_meet_the_bar_on_true_factors_rotated(step):
    """ΣH less the source is exact where cells are finer than the grid; collisions meet the bar at every step."""
    symbols, marginals, joint = rotated_grid(step)
    drawn = symbols[np.random.default_rng(1).permutation(COUNT)[:20_000]]
    found = entanglement(drawn, rng=np.random.default_rng(0), source_bits=math.log2(COUNT), population=COUNT)
    truth = marginals - joint
    assert within_the_bar(found.collisions.value, truth)
    assert found.model.value <= truth + 0.05
    assert found.bounds.low <= truth + 0.05
    assert found.bounds.high >= truth
    if step == 0.1:
        assert within_the_bar(found.source.value, truth)
    if step >= 0.5:
        assert within_the_bar(found.model.value, truth)
