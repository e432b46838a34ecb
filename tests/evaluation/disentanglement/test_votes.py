"""The scores that draw pairs and batches: β-VAE, FactorVAE, the paper's pairs; and active latents."""

import numpy as np
import pytest

from tests.evaluation.disentanglement.test_predictors import log_probabilities, softmax_regression
from vaecodec.evaluation.disentanglement.active import active, active_latents
from vaecodec.evaluation.disentanglement.beta_vae import beta_vae_score
from vaecodec.evaluation.disentanglement.factor_vae import (
    Votes,
    draw_batches,
    factor_vae_score,
    least_varied,
    majority_accuracy,
)
from vaecodec.evaluation.disentanglement.information import standardise
from vaecodec.evaluation.disentanglement.pairs import (
    differences,
    draw_pairs,
    half_sum_difference,
    linear_accuracy,
    mean_difference,
    pairs_accuracy,
)


def test_pairs_share_their_factor_and_nothing_else_on_purpose(truth):
    pairs = draw_pairs(truth, 300, 7, rng=np.random.default_rng(0))
    first, second = truth.factors[pairs.first], truth.factors[pairs.second]
    for vote in range(len(pairs)):
        agree = (first[vote] == second[vote]).mean(axis=0)
        assert agree[pairs.factor[vote]] == 1
    same = first == second
    other = np.delete(np.arange(3), 1)
    assert same[pairs.factor == 1][:, :, other].mean(axis=(0, 1)) == pytest.approx([1 / 3, 1 / 8], abs=0.06)


def test_the_papers_difference_is_half_the_sum_and_higgins_the_mean():
    z1 = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 0.0]])
    z2 = np.array([[0.0, 4.0], [3.0, 1.0], [-2.0, 5.0]])
    assert half_sum_difference(z1, z2).tolist() == [(1 + 0 + 2) / 2, (2 + 2 + 5) / 2]
    assert mean_difference(z1, z2).tolist() == [1.0, 3.0]


def test_differences_of_votes_equal_loops(mixed_codes, truth):
    pairs = draw_pairs(truth, 5, 4, rng=np.random.default_rng(0))
    halves, means = differences(mixed_codes, pairs)
    for vote in range(5):
        for j in range(mixed_codes.shape[1]):
            gaps = [
                abs(mixed_codes[a, j] - mixed_codes[b, j])
                for a, b in zip(pairs.first[vote], pairs.second[vote], strict=True)
            ]
            assert halves[vote, j] == pytest.approx(0.5 * sum(gaps), abs=1e-9)
            assert means[vote, j] == pytest.approx(sum(gaps) / 4, abs=1e-9)


def test_the_linear_classifier_finds_what_a_general_minimiser_finds(mixed_codes, truth):
    pairs = draw_pairs(truth, 300, 8, rng=np.random.default_rng(0))
    _, x = differences(mixed_codes, pairs)
    y = pairs.factor
    w = softmax_regression(x[:200], y[:200])
    slow = (log_probabilities(w, x[200:]).argmax(axis=1) == y[200:]).mean()
    assert linear_accuracy(x[:200], y[:200], x[200:], y[200:]) == pytest.approx(slow, abs=1e-6)


def test_the_beta_vae_score_of_truth_is_one_and_of_noise_a_guess(true_codes, noise, truth):
    rng = np.random.default_rng(0)
    assert beta_vae_score(true_codes, truth, rng=rng, replicates=0)["β-VAE score"].value > 0.99
    found = beta_vae_score(noise, truth, rng=rng, replicates=3)["β-VAE score"]
    assert found.value == pytest.approx(1 / 3, abs=0.06)
    assert found.interval.low < 1 / 3 < found.interval.high


def test_the_pairs_accuracy_says_both_readings(true_codes, truth):
    found = pairs_accuracy(true_codes, truth, rng=np.random.default_rng(0), pairs=16, replicates=0)
    assert [value.name for value in found.values] == ["paper's Δz", "Higgins' Δz"]
    assert all(value.value > 0.95 for value in found.values)
    assert dict(found.settings)["pairs"] == 16


def test_batches_share_one_value_of_their_factor(truth):
    factor, rows = draw_batches(truth, 50, np.random.default_rng(0))
    for vote in range(50):
        assert len(np.unique(truth.factors[rows[vote], factor[vote]])) == 1


def test_votes_and_their_majority_equal_loops(mixed_codes, truth):
    codes = standardise(mixed_codes)
    factor, rows = draw_batches(truth, 120, np.random.default_rng(0))
    latent = least_varied(codes, rows)
    for vote in range(120):
        variances = []
        for j in range(4):
            values = [float(codes[row, j]) for row in rows[vote]]
            mean = sum(values) / len(values)
            variances.append(sum((v - mean) ** 2 for v in values) / len(values))
        assert latent[vote] == variances.index(min(variances))
    counts = {j: [0, 0, 0] for j in range(4)}
    for vote in range(80):
        counts[int(latent[vote])][int(factor[vote])] += 1
    stands_for = {j: seen.index(max(seen)) for j, seen in counts.items()}
    right = sum(stands_for[int(latent[v])] == int(factor[v]) for v in range(80, 120)) / 40
    found = majority_accuracy(Votes(latent, factor), np.arange(80), np.arange(80, 120), 4, 3)
    assert found == pytest.approx(right, abs=1e-6)


def test_the_factor_vae_score_of_truth_is_one_and_of_noise_a_guess(true_codes, rotated_codes, noise, truth):
    rng = np.random.default_rng(0)
    scores = [
        factor_vae_score(codes, truth, rng=rng, replicates=5)["FactorVAE score"]
        for codes in (true_codes, rotated_codes, noise)
    ]
    assert scores[0].value == 1
    assert scores[1].value < 1
    assert scores[2].value == pytest.approx(1 / 3, abs=0.06)


def test_a_latent_is_active_by_its_variance_and_a_symbol_by_its_bits():
    rng = np.random.default_rng(0)
    means = np.column_stack([rng.standard_normal(4000), 0.05 * rng.standard_normal(4000), np.zeros(4000)])
    assert active(means).tolist() == [True, False, False]
    symbols = np.rint(np.column_stack([means[:, 0], np.arange(4000) == 7, means[:, 2]])).astype(np.int32)
    assert active(symbols).tolist() == [True, False, False]
    found = active_latents(means, rng=rng, replicates=5)
    assert found["active latents"].value == 1
    assert found["active latents"].unit == "latents"
