"""What holds for every test: one backend, no progress bars, patience with slow cells, the same examples each time."""

import os

import hypothesis
import pytest

CELL_SILENCE = 300  # seconds that a notebook's cell may run without printing anything; nbval's own limit is 5

os.environ.pop("MPLBACKEND", None)  # with Agg, every plotting cell would differ from its committed output
os.environ.setdefault("RLKIT_PROGRESS", "off")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # on a busy machine, the threads of small networks wait for each other

hypothesis.settings.register_profile("book", derandomize=True, deadline=None)
hypothesis.settings.load_profile("book")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = CELL_SILENCE
