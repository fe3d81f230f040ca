"""The command line: run the experiments of a chapter, or list them with what is stored."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rlkit.core.checks import brief
from rlkit.experiments.runner import Experiment, load, run, stored


def all_experiments() -> list[Experiment]:
    """Return every experiment of the book; a new chapter adds its module here."""
    from rlkit.experiments import (
        a3c,
        actor_critic,
        ddpg,
        dqn,
        driving,
        families,
        madqn,
        minimax_q,
        nash_q,
        policy_gradients,
        populations,
    )

    modules = (dqn, driving, policy_gradients, actor_critic, a3c, ddpg, families, madqn, populations, minimax_q, nash_q)
    return [experiment for module in modules for experiment in module.EXPERIMENTS]


def chosen(experiments: Sequence[Experiment], chapter: int | None, only: str | None) -> list[Experiment]:
    """Return the experiments of a chapter, or of all; or the one of that name.

    Raises:
        ValueError: there is none.
    """
    found = [e for e in experiments if chapter in (None, e.chapter) and only in (None, e.name)]
    if not found:
        asked = f"experiment {brief(only)}" if only else "experiment"
        place = "" if chapter is None else f" in chapter {chapter}"
        known = ", ".join(f"{e.name} (chapter {e.chapter})" for e in experiments) or "none"
        raise ValueError(f"there is no {asked}{place}; there are: {known}")
    return found


def state(experiment: Experiment) -> str:
    """Return in words what is stored of an experiment."""
    if experiment.name not in stored():
        return f"{experiment.name}: chapter {experiment.chapter}, nothing stored yet"
    result = load(experiment.name)
    return f"{result!r}" + ("" if experiment.matches(result) else " (its code or settings have changed since)")


def main(arguments: Sequence[str] | None = None, experiments: Sequence[Experiment] | None = None) -> int:
    """Run or list experiments, and return the exit status: 1 if one failed, 130 if it was stopped by Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m rlkit.experiments", description=__doc__)
    parser.add_argument("chapter", type=int, nargs="?", help="number of the chapter (default: all)")
    parser.add_argument("--only", metavar="NAME", help="run one experiment")
    parser.add_argument("--list", action="store_true", help="list the experiments with what is stored")
    parser.add_argument("--jobs", type=int, default=2, help="jobs at the same time (default: 2)")
    args = parser.parse_args(arguments)
    status = 0
    try:
        experiments = all_experiments() if experiments is None else experiments
        for experiment in chosen(experiments, args.chapter, args.only):
            try:
                print(state(experiment) if args.list else run(experiment, args.jobs))
            except (ValueError, RuntimeError) as error:  # the next one may still work
                print(f"error: {error}", file=sys.stderr)
                status = 1
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt as stopped:
        print(str(stopped) or "Stopped; the same command goes on from here.", file=sys.stderr)
        status = 130
    return status


if __name__ == "__main__":
    sys.exit(main())
