"""What the statistical tests of this folder share: how unlikely a chance failure may be, and how to find that out."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

ERROR_RATE = 1e-6
"""How seldom a correct program fails a test on a new seed. The seeds are fixed, so a test passes always or never."""


def p_value(counts: Any, probabilities: Any) -> float:
    """Return the chi-square test's p-value; 0 if something came that cannot come.

    What is expected less than ten times is counted together: the test holds for larger numbers only.
    """
    counts, expected = np.asarray(counts, float), np.asarray(probabilities, float) * np.sum(counts)
    if counts[expected == 0].any():
        return 0.0
    order = np.argsort(-expected)
    counts, expected = counts[order], expected[order]
    large = max(1, int((expected >= 10).sum()) - 1)  # the smallest of the large ones takes the small ones in
    counts, expected = (np.append(x[:large], x[large:].sum()) for x in (counts, expected))
    return float(stats.chisquare(counts, expected).pvalue) if expected[-1] > 0 else 1.0


def deviations(runs: Any, truth: Any) -> np.ndarray:
    """Return by how many standard errors the mean over runs (float[K, ...]) misses the truth; 0 where it is hit exactly."""
    runs = np.asarray(runs, float)
    miss, error = runs.mean(axis=0) - truth, runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    return np.divide(miss, error, out=np.where(miss == 0, 0, np.inf), where=error > 0)


def allowed(tests: int = 1, degrees: float = np.inf) -> float:
    """Return how many standard errors a mean may miss by, for so many tests at once (Bonferroni), both sides."""
    return float(stats.t.isf(ERROR_RATE / 2 / tests, degrees))
