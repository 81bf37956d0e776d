"""The reckoning of docs/scale.md: the queue against what theory knows, and the page against its script."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.scale import costs, needs, simulated, tables, workers_for


def test_the_queue_by_hand():
    latencies = simulated(np.array([0.0, 0.0, 1.0, 1.5]), np.array([2.0, 4.0, 1.0, 1.0]), 2)
    assert latencies.tolist() == [2.0, 4.0, 2.0, 2.5]


@pytest.mark.parametrize(("workers", "load", "mean"), [(1, 0.5, 2.0), (1, 0.8, 5.0), (2, 0.8, 1 / (1 - 0.64))])
def test_the_queue_against_theory(workers, load, mean):
    """Erlang: with exponential service of mean 1, M/M/1 answers in 1 / (1 - load), M/M/2 in 1 / (1 - load ** 2)."""
    random = np.random.default_rng(3)
    arrivals = np.cumsum(random.exponential(1 / (load * workers), 200_000))
    assert simulated(arrivals, random.exponential(1, 200_000), workers).mean() == pytest.approx(mean, rel=0.05)


def test_workers_for_a_latency():
    few, many = (workers_for(rate, [0.027], 0.06) for rate in (10, 200))
    assert few is not None
    assert many is not None
    assert few < many
    assert workers_for(10, [0.1], 0.05) is None  # the work alone takes longer


def test_needs_grow_with_the_pictures():
    assert needs(1e6, costs())["vectors in the database: GB"] == "2"
    assert needs(5e9, costs())["vectors in the database: GB"] == "10,240"


def test_the_page_has_the_tables_of_the_script():
    page = Path(__file__).parents[1].joinpath("docs/scale.md").read_text(encoding="utf-8")
    for table in tables().split("\n\n"):
        assert table in page, "run python -m benchmarks scale, and put its tables into docs/scale.md"
