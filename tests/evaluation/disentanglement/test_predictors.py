"""DCI, SAP, InfoE and DCI-ES: against independent solvers of the same problems, and known answers."""

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.evaluation.disentanglement import reference
from vaecodec.evaluation.disentanglement.dci import (
    completeness,
    dci_classifier,
    dci_regressor,
    disentanglement,
    predict,
)
from vaecodec.evaluation.disentanglement.dci_es import FEATURES, RIDGE, LossCurve, dci_es, loss_curves, random_features
from vaecodec.evaluation.disentanglement.infomec import explicitness, linear_bits
from vaecodec.evaluation.disentanglement.information import standardise
from vaecodec.evaluation.disentanglement.sap import PENALTY, sap, single_scores


def softmax_regression(x, y, penalty=1.0):
    """Weights (classes, d + 1) of least Σ −ln p + ½ |w|² / C, found by a general minimiser."""
    kinds = len(np.unique(y))
    hot = np.eye(kinds)[y]

    def loss(flat):
        w = flat.reshape(kinds, -1)
        logits = x @ w[:, :-1].T + w[:, -1]
        shifted = logits - logits.max(axis=1, keepdims=True)
        p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        value = -np.log(p[hot == 1]).sum() + 0.5 / penalty * np.square(w[:, :-1]).sum()
        slope = np.column_stack([(p - hot).T @ x + w[:, :-1] / penalty, (p - hot).sum(axis=0)])
        return value, slope.ravel()

    start = np.zeros(kinds * (x.shape[1] + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000})
    return found.x.reshape(kinds, -1)


def log_probabilities(w, x):
    logits = x @ w[:, :-1].T + w[:, -1]
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_disentanglement_and_completeness_equal_their_slow_versions():
    table = np.random.default_rng(0).exponential(size=(5, 3)) ** 3
    assert disentanglement(table) == pytest.approx(reference.weighted_purity(table.tolist()), abs=1e-6)
    assert completeness(table) == pytest.approx(reference.weighted_purity(table.T.tolist()), abs=1e-6)


def test_a_table_that_is_a_permutation_scores_one_and_an_even_one_nothing():
    assert disentanglement(np.eye(4)[[2, 0, 3, 1]]) == pytest.approx(1)
    assert disentanglement(np.ones((4, 4))) == pytest.approx(0, abs=1e-12)
    assert completeness(np.eye(4)[:2].T) == pytest.approx(1)


def impurity_of(labels):
    """Gini's."""
    shares = np.bincount(labels) / len(labels)
    return 1 - np.square(shares).sum()


def test_importances_are_the_impurity_that_splits_take_away(mixed_codes, truth):
    """Counted anew from each tree's paths, with the rows that the tree was grown on."""
    from sklearn.ensemble import RandomForestClassifier

    x, y = mixed_codes[:300], truth.factors[:300, 1]
    forest = RandomForestClassifier(10, min_samples_leaf=5, max_features=None, random_state=3).fit(x, y)
    total = np.zeros(x.shape[1])
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        rows, labels, shape, gained = x[drawn].astype(np.float32), y[drawn], tree.tree_, np.zeros(x.shape[1])

        def visit(node, here, shape=shape, rows=rows, labels=labels, gained=gained):
            if shape.children_left[node] < 0:
                return
            latent = shape.feature[node]
            left = here & (rows[:, latent] <= shape.threshold[node])
            right = here & ~left
            before = here.sum() * impurity_of(labels[here])
            gained[latent] += before - sum(part.sum() * impurity_of(labels[part]) for part in (left, right))
            visit(shape.children_left[node], left)
            visit(shape.children_right[node], right)

        visit(0, np.ones(len(x), dtype=bool))
        total += gained / gained.sum() / 10
    found = predict(x, truth.factors[:300, 1:2], x, truth.factors[:300, 1:2], (False,), 3)
    assert found.importances[:, 0] == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize("metric", [dci_classifier, dci_regressor])
def test_dci_of_true_factors_is_one_and_of_noise_is_nothing(metric, true_codes, rotated_codes, noise, truth):
    rng = np.random.default_rng(0)
    true = metric(true_codes, truth, rng=rng, replicates=0)
    assert [value.value for value in true.values] == pytest.approx([1, 1, 1], abs=1e-3)
    rotated = metric(rotated_codes, truth, rng=rng, replicates=0)
    assert rotated["DCI D"].value < 0.8
    assert metric(noise, truth, rng=rng, replicates=0)["DCI D"].value < 0.1
    assert "random forest" in dict(true.settings)["predictor"]


def squared_hinge_accuracy(x, y, test_x, test_y):
    """One class against the others, the intercept penalised too, a class of few counting more than the others do."""
    weights = []
    for kind in np.unique(y):
        sign = np.where(y == kind, 1.0, -1.0)
        cost = PENALTY * np.where(sign > 0, len(y) / (len(np.unique(y)) * (y == kind).sum()), 1.0)

        def loss(w, sign=sign, cost=cost):
            slack = np.maximum(0, 1 - sign * (w[0] * x + w[1]))
            value = 0.5 * (w @ w) + (cost * slack**2).sum()
            slope = w - 2 * np.array([(cost * slack * sign * x).sum(), (cost * slack * sign).sum()])
            return value, slope

        weights.append(minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-9}).x)
    w = np.array(weights)
    chosen = np.unique(y)[(test_x[:, None] * w[:, 0] + w[:, 1]).argmax(axis=1)]
    return (chosen == test_y).mean()


def test_each_score_of_sap_equals_a_general_minimisers(mixed_codes, truth):
    x, y = standardise(mixed_codes), truth.factors
    train, test = slice(0, 600), slice(600, 1200)
    found = single_scores(x[train], y[train], x[test], y[test], truth.ordered)
    for j in range(x.shape[1]):
        for i in (1, 2):
            line = np.polyfit(x[train, j], y[train, i], 1)
            left = y[test, i] - np.polyval(line, x[test, j])
            r2 = 1 - (left**2).sum() / ((y[test, i] - y[test, i].mean()) ** 2).sum()
            assert found[j, i] == pytest.approx(max(0, r2), abs=1e-6)


def test_saps_machine_finds_what_a_general_minimiser_finds(mixed_codes, truth):
    x, y = standardise(mixed_codes), truth.factors[:, 0]
    found = single_scores(x[:600], truth.factors[:600], x[600:1200], truth.factors[600:1200], (False, True, True))
    slow = [squared_hinge_accuracy(x[:600, j], y[:600], x[600:1200, j], y[600:1200]) for j in range(x.shape[1])]
    assert found[:, 0] == pytest.approx(slow, abs=1e-6)


def test_sap_of_true_factors_is_near_one_and_of_noise_near_nothing(true_codes, rotated_codes, noise, truth):
    rng = np.random.default_rng(0)
    true, rotated, nothing = (
        sap(codes, truth, rng=rng, replicates=3)["SAP"] for codes in (true_codes, rotated_codes, noise)
    )
    assert true.value > 0.75  # a shape among three is no straight line: chance alone has a third of it
    assert nothing.value < 0.1
    assert rotated.value < true.value
    assert true.interval.low <= true.value <= true.interval.high


def test_linear_bits_equal_a_general_minimisers(mixed_codes, truth):
    x, y = standardise(mixed_codes), truth.factors[:, 2]
    found = linear_bits(x[:300], y[:300], x[300:500], y[300:500], 1e-9)
    logs = log_probabilities(softmax_regression(x[:300], y[:300]), x[300:500])
    assert found == pytest.approx(-logs[np.arange(200), y[300:500]].mean() / np.log(2), abs=1e-6)


def test_explicitness_sees_no_rotation(true_codes, rotated_codes, noise, truth):
    rng = np.random.default_rng(0)
    true, rotated, nothing = (
        explicitness(codes, truth.factors, rng=rng, replicates=0)["InfoE"].value
        for codes in (true_codes, rotated_codes, noise)
    )
    assert true == pytest.approx(rotated, abs=0.03)
    assert true > 0.6
    assert nothing < 0.02


def test_loss_curves_equal_least_squares_with_the_penalty_as_rows(mixed_codes, truth):
    rng = np.random.default_rng(0)
    x, d = random_features(standardise(mixed_codes), rng), mixed_codes.shape[1]
    target = standardise(truth.factors[:, 1:2].astype(float))
    train, test = np.arange(400), np.arange(400, 700)
    (found,) = loss_curves(x, [target], d, train, test)
    constant = np.square(target[test] - target[train].mean()).sum()
    for features, loss in zip(FEATURES, found.losses, strict=True):
        m = 1 + d + features
        design = np.vstack([x[train, :m], np.sqrt(RIDGE * len(train)) * np.eye(m)])
        weights = np.linalg.lstsq(design, np.vstack([target[train], np.zeros((m, 1))]), rcond=None)[0]
        slow = np.square(target[test] - x[test, :m] @ weights).sum() / constant
        assert loss == pytest.approx(slow, abs=1e-6)


def test_explicitness_is_one_where_the_least_capacity_is_the_best_and_nothing_on_a_straight_line():
    assert LossCurve(np.array([0.2, 0.3, 0.3, 0.3, 0.3])).explicitness == 1
    capacity = np.log2(1 + np.array(FEATURES))
    straight = 1 - 0.9 * capacity / capacity[-1]
    assert LossCurve(straight).explicitness == pytest.approx(0, abs=1e-9)
    assert LossCurve(np.full(5, 1.2)).explicitness == 0
    curve = np.array([0.6, 0.3, 0.1, 0.05, 0.07])
    area = sum((curve[t] + curve[t + 1]) / 2 * (capacity[t + 1] - capacity[t]) for t in range(3)) - 0.05 * capacity[3]
    assert LossCurve(curve).explicitness == pytest.approx(1 - area / (0.5 * capacity[3] * 0.95), abs=1e-6)


def test_size_counts_latents_and_for_symbols_bits(true_codes, truth):
    rng = np.random.default_rng(0)
    floats = dci_es(true_codes, truth, rng=rng, replicates=0)
    symbols = dci_es(np.column_stack([truth.factors, truth.factors]), truth, rng=rng, replicates=0)
    assert floats["DCI-ES S"].value == 1
    assert floats["DCI-ES E"].value > 0.7
    assert symbols["DCI-ES S"].value == 0.5
    assert symbols["DCI-ES S, bits"].value == pytest.approx(0.5)
    assert symbols["code"].value == pytest.approx(2 * np.log2(96), abs=0.1)
    assert symbols["code"].unit == "bits"
