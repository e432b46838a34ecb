"""Slow, independent versions of the metrics, loops and logarithms of single numbers: what the fast ones must equal."""

import math
from collections import Counter


def bin_of(value, low, high, bins):
    """Equal width, the largest value in the last."""
    if high == low:
        return 0
    return min(bins - 1, int((value - low) / (high - low) * bins))


def binned(codes, bins=20):
    """Columns as lists of bins."""
    columns = []
    for j in range(codes.shape[1]):
        column = [float(v) for v in codes[:, j]]
        low, high = min(column), max(column)
        columns.append([bin_of(v, low, high, bins) for v in column])
    return columns


def entropy(values):
    """In bits."""
    n = len(values)
    return -sum(count / n * math.log2(count / n) for count in Counter(values).values())


def mutual(a, b):
    """Σ p(a, b) log2 p(a, b) / p(a) p(b)."""
    n = len(a)
    left, right = Counter(a), Counter(b)
    return sum(
        count / n * math.log2(count * n / (left[x] * right[y]))
        for (x, y), count in Counter(zip(a, b, strict=True)).items()
    )


def table_of(columns, factors):
    """I (d lists of k), and the factors' entropies."""
    factor_columns = [[int(v) for v in factors[:, i]] for i in range(factors.shape[1])]
    return [[mutual(c, f) for f in factor_columns] for c in columns], [entropy(f) for f in factor_columns]


def mig(columns, factors):
    table, entropies = table_of(columns, factors)
    total = 0.0
    for i, h in enumerate(entropies):
        known = sorted((row[i] for row in table), reverse=True)
        total += (known[0] - (known[1] if len(known) > 1 else 0)) / h
    return total / len(entropies)


def modularity(columns, factors):
    table, _ = table_of(columns, factors)
    total = 0.0
    for row in table:
        best = max(range(len(row)), key=lambda i: row[i])
        template = [row[i] if i == best else 0.0 for i in range(len(row))]
        deviation = sum((row[i] - template[i]) ** 2 for i in range(len(row))) / (row[best] ** 2 * (len(row) - 1))
        total += 1 - deviation
    return total / len(table)


def weighted_purity(rows):
    """Σ weight (1 − entropy of the row to the base of its length): DCI's D."""
    total = sum(sum(row) for row in rows)
    result = 0.0
    for row in rows:
        weight = sum(row)
        if weight:
            h = -sum(v / weight * math.log(v / weight, len(row)) for v in row if v > 0)
            result += weight / total * (1 - h)
    return result


def med(columns, factors):
    table, entropies = table_of(columns, factors)
    return weighted_purity([[v / h for v, h in zip(row, entropies, strict=True)] for row in table])


def largest_share(rows):
    """How far above an even share the largest is."""
    even = 1 / len(rows[0])
    return sum((max(row) / sum(row) - even) / (1 - even) for row in rows) / len(rows)


def info_m(columns, factors):
    table, entropies = table_of(columns, factors)
    return largest_share([[v / h for v, h in zip(row, entropies, strict=True)] for row in table])


def info_c(columns, factors):
    table, entropies = table_of(columns, factors)
    return largest_share([[row[i] / h for row in table] for i, h in enumerate(entropies)])
