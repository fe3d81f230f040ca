"""Experiments and their results: jobs through joblib, one part for each that is finished, one small file at the end."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
import re
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata, resources
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rlkit.core.checks import brief, whole_number

RESULTS = resources.files("rlkit.experiments") / "results"
"""Where results are stored: package data, so that a copied notebook finds them."""

PARTS = Path("_build/experiments")
"""Where finished jobs wait until all are there, below the folder in which the command is given."""

PACKAGES = {"numpy": "numpy", "torch": "torch", "gymnasium": "gymnasium", "rlkit": "rlkit-course-book"}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
WORKER = dict.fromkeys(THREADS, "1") | {"RLKIT_PROGRESS": "off"}
Job = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Experiment:
    """One function, run for each variant of its settings and each seed.

    ``run(settings, seeds)`` takes a dict and a list of seeds that it trains together, and returns columns of equal
    length by name, in long form: numbers or strings, one entry for each row, with a column ``seed`` that says whose row
    it is. Its results may depend on nothing but its arguments. It must stand at the top level of a module.

    Attributes:
        name: such as ``dqn.cartpole``: small letters, digits, underscores, dots.
        chapter: the chapter that shows it.
        run: the function.
        variants: settings by label; settings are what JSON can hold.
        seeds: of every variant.
        group: how many seeds go together into one job.

    Raises:
        ValueError: an argument is none of this.
    """

    name: str
    chapter: int
    run: Callable[[dict[str, Any], list[int]], Mapping[str, Any]]
    variants: dict[str, dict[str, Any]]
    seeds: list[int]
    group: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", self.name):
            raise ValueError(f"name must be small letters, digits, underscores and dots, not {brief(self.name)}")
        whole_number("chapter", self.chapter, 1)
        whole_number("group", self.group, 1)
        if not inspect.isfunction(self.run):
            raise ValueError(f"run must be a function, not {brief(self.run)}")
        seeds = [whole_number("seed", seed, 0) for seed in self.seeds]
        if not seeds or len(set(seeds)) < len(seeds):
            raise ValueError(f"seeds must be one or more numbers, each once, not {brief(self.seeds)}")
        object.__setattr__(self, "seeds", seeds)
        if not self.variants:
            raise ValueError("variants must hold the settings of at least one variant")
        for label, settings in self.variants.items():
            if not isinstance(label, str) or not isinstance(settings, dict):
                raise ValueError(f"variants must be dicts of settings by label, not {brief({label: settings})}")
            try:
                json.dumps(settings, sort_keys=True, allow_nan=False)
            except (TypeError, ValueError):
                raise ValueError(f"the settings of {brief(label)} hold what JSON cannot: {brief(settings)}") from None

    @property
    def source(self) -> str:
        """A hash of the text of ``run``. What it calls is not part of it."""
        return _hash(inspect.getsource(self.run))

    def jobs(self) -> list[Job]:
        """Return (variant, seeds) of each job, in the order in which they are started and stored."""
        groups = [tuple(self.seeds[i : i + self.group]) for i in range(0, len(self.seeds), self.group)]
        return [(variant, seeds) for variant in self.variants for seeds in groups]

    def part(self, job: Job) -> Path:
        """Return the file of a finished job; its name changes with whatever could change the numbers in it."""
        variant, seeds = job
        given = _hash(json.dumps([self.source, self.variants[variant], seeds, _versions()], sort_keys=True))
        return PARTS / self.name / f"{re.sub(r'[^a-zA-Z0-9.-]+', '_', variant)[:40]}-{_span(seeds)}-{given}.json"

    def matches(self, result: Result) -> bool:
        """Say whether a result is of these settings and seeds, and of this text of ``run``."""
        settings = json.loads(json.dumps(self.variants))
        return (self.source, settings, self.seeds) == (result.source, result.settings, result.seeds)


@dataclass(frozen=True, repr=False)
class Result:
    """What an experiment left behind.

    Attributes:
        name, chapter: of the experiment.
        settings: by variant, in the order in which they were declared.
        seeds: of every variant.
        columns: by name, all variants below one another: an array of numbers, or a list of strings; ``variant`` is one.
        jobs: lists ``variant``, ``seeds``, ``cpu_seconds``, ``wall_seconds``, with one entry for each job.
        date: of the last job (UTC).
        machine: processor and number of cores.
        versions: of Python and the packages.
        source: a hash of the text of the function that ran.
    """

    name: str
    chapter: int
    settings: dict[str, dict[str, Any]]
    seeds: list[int]
    columns: dict[str, Any]
    jobs: dict[str, list]
    date: str
    machine: str
    versions: dict[str, str]
    source: str

    @property
    def command(self) -> str:
        """The command that repeats it."""
        return f"make experiments CH={self.chapter}"

    @property
    def cpu_seconds(self) -> float:
        """The processor time of all jobs together."""
        return sum(self.jobs["cpu_seconds"])

    def __repr__(self) -> str:
        size = f"{_count(len(self.settings), 'variant')} x {_count(len(self.seeds), 'seed')}"
        cpu = self.cpu_seconds
        spent = _count(round(cpu / 60), "CPU minute") if cpu >= 60 else _count(round(cpu), "CPU second")
        return f"{self.name}: {size}, {self.date}, {spent};\nrepeat with `{self.command}`"

    def table(self, value: str, index: str = "step", variant: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return x: float[T], the column ``index``, and y: float[K, T], the column ``value`` with a row for each seed.

        Args:
            value, index: names of columns of numbers.
            variant: whose rows; may be left out where there is only one.

        Raises:
            ValueError: there is no such column of numbers or variant, or the seeds do not share one x.
        """
        numeric = [name for name, column in self.columns.items() if isinstance(column, np.ndarray)]
        for name in (value, index):
            if name not in numeric:
                raise ValueError(f"{brief(name)} is no column of numbers of {self.name}: there are {_list(numeric)}")
        if variant is None and len(self.settings) == 1:
            (variant,) = self.settings
        if variant not in self.settings:
            raise ValueError(f"variant must be one of {_list(self.settings)}, not {brief(variant)}")
        own = np.array(self.columns["variant"]) == variant
        rows = [own & (self.columns["seed"] == seed) for seed in self.seeds]
        x = self.columns[index][rows[0]]
        for seed, mask in zip(self.seeds, rows, strict=True):
            if not np.array_equal(self.columns[index][mask], x):
                raise ValueError(
                    f"the seeds {self.seeds[0]} and {seed} of {brief(variant)} differ in {index}, so they make no table"
                )
        return x.astype(float), np.stack([self.columns[value][mask] for mask in rows]).astype(float)


def stored() -> list[str]:
    """Return the names of the results that are stored."""
    files = RESULTS.iterdir() if RESULTS.is_dir() else ()
    return sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json"))


def load(name: str) -> Result:
    """Return the stored result of an experiment; a number that was not finite is NaN.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in stored():
        raise ValueError(f"no result {brief(name)} is stored: there are {_list(stored())}")
    data = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    blocks = {variant: data["columns"][variant] for variant in dict.fromkeys(data["jobs"]["variant"])}
    columns: dict[str, Any] = {"variant": [variant for variant, block in blocks.items() for _ in block["seed"]]}
    for column in next(iter(blocks.values())):
        values = [value for block in blocks.values() for value in block[column]]
        if not any(isinstance(value, str) for value in values):
            columns[column] = np.array([np.nan if value is None else value for value in values])
        else:
            columns[column] = values
    settings = {variant: data["settings"][variant] for variant in blocks}
    return Result(**(data | {"settings": settings, "columns": columns}))


def run(experiment: Experiment, jobs: int = 2) -> Result:
    """Run the jobs of an experiment that are not finished yet, store its result, and return it.

    The jobs go to whatever backend of joblib is active, by default to processes on this machine, each with one thread.
    A finished job is kept in ``PARTS``, and is not run again as long as its settings, its seeds, the text of ``run``
    and the versions of the packages stay what they were. A job that fails does not stop the others.

    Args:
        experiment: what to run.
        jobs: how many at a time.

    Raises:
        ValueError: a job returned no columns; or ``jobs`` is less than 1.
        RuntimeError: a job failed.
        KeyboardInterrupt: it was stopped; its text says how far it came.
    """
    whole_number("jobs", jobs, 1)
    parts = {job: experiment.part(job) for job in experiment.jobs()}
    todo = [job for job, part in parts.items() if not part.exists()]
    if todo:
        try:
            _work(experiment, parts, todo, jobs)
        except KeyboardInterrupt:
            done = sum(part.exists() for part in parts.values())
            raise KeyboardInterrupt(
                f"{experiment.name}: {done} of {_count(len(parts), 'job')} finished and kept in {PARTS}; "
                "the same command goes on from there."
            ) from None
    else:
        place = PARTS / experiment.name
        print(f"{experiment.name}: nothing left to do; remove {place} to run it all again.", file=sys.stderr)
    records = {job: _read(part) for job, part in parts.items()}
    _write(Path(str(RESULTS)) / f"{experiment.name}.json", _layout(_assemble(experiment, records)) + "\n")
    return load(experiment.name)


def _read(part: Path) -> dict[str, Any]:
    """Return the record of a finished job."""
    try:
        record = json.loads(part.read_text(encoding="utf-8"))
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise ValueError(f"{part} is damaged: remove it, and run the same command again")
    return record


def _work(experiment: Experiment, parts: dict[Job, Path], todo: list[Job], jobs: int) -> None:
    """Run the jobs ``todo``, and write the part of each as soon as it is finished."""
    from joblib import Parallel, delayed, effective_n_jobs
    from tqdm.auto import tqdm

    failed: dict[str, str] = {}
    with (
        _environment(),
        tqdm(total=len(parts), initial=len(parts) - len(todo), desc=experiment.name, unit="job") as bar,
    ):
        # joblib starts jobs in their order, so those that run are known here without asking the workers
        waiting = iter(todo)
        running = dict.fromkeys(islice(waiting, effective_n_jobs(jobs)), time.time())
        tasks = [delayed(_do)(experiment.run, dict(experiment.variants[job[0]]), job) for job in todo]
        outcomes = Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")(tasks)
        with _clock(bar, running) as show:
            try:
                for job, record, error in outcomes:
                    name = _name(job)
                    running.pop(job, None)
                    if following := next(waiting, None):
                        running[following] = time.time()
                    show()
                    if record is None and error is None:
                        raise KeyboardInterrupt
                    if record is None:
                        failed[name] = error
                        bar.write(f"{name}: failed ({error.splitlines()[-1]})", file=sys.stderr)
                        continue
                    record["columns"] = _plain(f"{experiment.name}, {name}", record["columns"], job[1])
                    _write(parts[job], json.dumps(record, allow_nan=False))
                    bar.write(f"{name}: finished in {bar.format_interval(record['wall_seconds'])}", file=sys.stderr)
                    bar.update()
            finally:
                with warnings.catch_warnings():  # joblib warns about jobs that it ends: they are ended on purpose
                    warnings.simplefilter("ignore")
                    outcomes.close()
    if failed:
        name, error = next(iter(failed.items()))
        count = f"{len(failed)} of {_count(len(todo), 'job')} failed, what was finished is kept"
        raise RuntimeError(f"{experiment.name}: {count}. The first, {name}:\n{error}")


def _do(function: Callable[..., Any], settings: dict[str, Any], job: Job) -> tuple[Job, dict | None, str | None]:
    """Do one job in a worker, and return (job, record, error): no record if it failed, neither if it was stopped.

    Nothing is raised, because joblib drops results that it holds already when a job raises.
    """
    with suppress(KeyError):
        sys.modules["torch"].set_num_threads(1)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        columns = function(settings, list(job[1]))
    except KeyboardInterrupt:
        return job, None, None
    except Exception:
        return job, None, traceback.format_exc().rstrip()
    record = {
        "columns": columns,
        "cpu_seconds": float(f"{time.process_time() - cpu:.3g}"),
        "wall_seconds": float(f"{time.perf_counter() - wall:.3g}"),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {_count(os.cpu_count() or 1, 'core')}",
    }
    return job, record, None


def _plain(where: str, columns: Any, seeds: tuple[int, ...]) -> dict[str, list]:
    """Return the columns of one job as lists of what JSON can hold; NaN and infinity become None."""
    if not isinstance(columns, Mapping) or "seed" not in columns:
        raise ValueError(f"{where}: run must return columns by name, one of them 'seed', not {brief(columns)}")
    if "variant" in columns:
        raise ValueError(f"{where}: the column 'variant' is added by the runner, so run must not return one")
    plain: dict[str, list] = {}
    for name, column in columns.items():
        values = column.tolist() if hasattr(column, "tolist") else column
        values = [v.item() if isinstance(v, np.generic) else v for v in values] if isinstance(values, list) else None
        if values is None or not (
            all(isinstance(v, str) for v in values) or all(isinstance(v, int | float) for v in values)
        ):
            raise ValueError(f"{where}: the column {name!r} must be a list of numbers or of strings: {brief(column)}")
        if len(values) != (length := len(next(iter(plain.values()), values))):
            raise ValueError(
                f"{where}: the column {name!r} has {len(values)} entries, but {next(iter(plain))!r} {length}"
            )
        plain[name] = [_number(v) if isinstance(v, float) else v for v in values]
    if set(plain["seed"]) != set(seeds):
        raise ValueError(f"{where}: the column 'seed' holds {brief(list(dict.fromkeys(plain['seed'])))}")
    return plain


def _number(value: float) -> float | None:
    """Return what is stored of a float: six significant digits, or None."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _assemble(experiment: Experiment, records: dict[Job, dict]) -> dict[str, Any]:
    """Return the contents of the results file: the rows of each variant in the order of its seeds."""
    columns: dict[str, dict[str, list]] = {}
    for variant in experiment.variants:
        blocks = [record["columns"] for job, record in records.items() if job[0] == variant]
        for block in blocks:
            if block.keys() != (known := next(iter(columns.values()), blocks[0])).keys():
                raise ValueError(
                    f"{experiment.name}: the columns of {brief(variant)} are {_list(block)}, of others {_list(known)}"
                )
        merged = {name: [value for block in blocks for value in block[name]] for name in blocks[0]}
        order = sorted(range(len(merged["seed"])), key=lambda row: experiment.seeds.index(merged["seed"][row]))
        columns[variant] = {name: [column[row] for row in order] for name, column in merged.items()}
    return {
        "name": experiment.name,
        "chapter": experiment.chapter,
        "settings": experiment.variants,
        "seeds": experiment.seeds,
        "columns": columns,
        "jobs": {"variant": [variant for variant, _ in records], "seeds": [seeds for _, seeds in records]}
        | {key: [record[key] for record in records.values()] for key in ("cpu_seconds", "wall_seconds")},
        "date": max(record["date"] for record in records.values()),
        "machine": "; ".join(sorted({record["machine"] for record in records.values()})),
        "versions": _versions(),
        "source": experiment.source,
    }


def _layout(value: Any, indent: str = "") -> str:
    """Return JSON with sorted keys, each entry of a dict on its own line and each list on one line."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    inner = indent + " "
    lines = [f"{inner}{json.dumps(key)}: {_layout(value[key], inner)}" for key in sorted(value)]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _write(path: Path, text: str) -> None:
    """Write a file so that whoever reads it finds the old text or the new, never a piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _environment() -> Iterator[None]:
    """Let jobs that are started in here have one thread each, and no bars beside the runner's."""
    before = {name: os.environ[name] for name in WORKER if name in os.environ}
    os.environ.update(WORKER)
    try:
        yield
    finally:
        for name in WORKER:
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _clock(bar: Any, running: dict[Job, float]) -> Iterator[Callable[[], None]]:
    """Show at the bar which jobs run and for how long: now, whenever asked, and in between as time goes by."""
    stop = threading.Event()

    def show() -> None:
        now, jobs = time.time(), list(running.items())
        bar.set_postfix_str(", ".join(f"{_name(job)} {bar.format_interval(now - start)}" for job, start in jobs))

    def tick() -> None:
        while not stop.wait(1 if sys.stderr.isatty() else 60):
            show()

    show()
    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield show
    finally:
        stop.set()
        thread.join()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name, distribution in PACKAGES.items():
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(distribution)
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _name(job: Job) -> str:
    return f"{job[0]}, {'seed' if len(job[1]) == 1 else 'seeds'} {_span(job[1])}"


def _span(seeds: tuple[int, ...]) -> str:
    """Return "0-7" for seeds that follow one another, else "0,3,5"."""
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _list(names: Any) -> str:
    return ", ".join(map(str, names)) or "none"
