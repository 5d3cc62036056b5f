"""People of whom the truth is known: in how many an effect would be found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from brainstruct.encoding.prevalence import prevalence, without_one


@pytest.mark.parametrize("subjects", [2, 4, 8])
def test_the_interval_holds_the_prevalence_in_95_of_100_studies(subjects):
    random = np.random.default_rng(subjects)
    answers = [prevalence(k, subjects, level=0.05) for k in range(subjects + 1)]
    truth = random.uniform(size=20_000)
    found = random.binomial(subjects, 0.05 + 0.95 * truth)
    _, low, high = np.array(answers)[found].T
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.95, abs=0.01)
    # A mean over people whose effects are real in half of them looks like an effect of all.
    assert answers[-1][0] == 1
    assert answers[0][0] == 0


def test_false_alarms_alone_are_no_prevalence():
    random = np.random.default_rng(1)
    best = np.array([prevalence(k, 20, level=0.05)[0] for k in range(21)])
    assert best[random.binomial(20, 0.05, 5000)].mean() < 0.03
    likelihood = binom.pmf(7, 20, 0.05 + 0.95 * np.linspace(0, 1, 1001))
    assert best[7] == pytest.approx(likelihood.argmax() / 1000, abs=0.001)


def test_four_of_four_leave_half_of_all_people_open():
    assert prevalence(4, 4, level=0.05)[1] == pytest.approx(0.52, abs=0.02)
    assert all(np.isnan(prevalence(0, 0, level=0.05)))


def test_leaving_one_out_shows_a_mean_that_one_subject_carries():
    table = pd.DataFrame({"one": [0.0, 0.0, 0.0, 0.4], "all": [0.1, 0.1, 0.1, 0.1]})
    table["few"] = [0.3, np.nan, np.nan, np.nan]
    low, high = without_one(table)
    assert low.tolist()[:2] == pytest.approx([0, 0.1])
    assert high.tolist()[:2] == pytest.approx([0.4 / 3, 0.1])
    assert np.isnan(low["few"])
    assert np.isnan(high["few"])
