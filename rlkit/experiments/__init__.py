"""The long runs behind the published tables: declared once, run in parallel, resumed where they stopped, stored small.

In a notebook: ``load(name)``, a ``Result`` with columns and ``table(...)``. For authors: ``Experiment``, ``run``, and
``python -m rlkit.experiments``.
"""

from rlkit.experiments.runner import Experiment, Result, load, run

__all__ = ["Experiment", "Result", "load", "run"]
