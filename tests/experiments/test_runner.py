"""Experiments: what is finished is never run twice, what is stored is the same however it was run."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pytest

import rlkit.experiments
from rlkit.experiments import Experiment, Result, load, run, runner
from rlkit.experiments.__main__ import main
from tools.provenance import ROOT

RAISED = {"error": RuntimeError("a trap"), "interrupt": KeyboardInterrupt()}


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Results and parts below a folder of the test's own."""
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(runner, "PARTS", tmp_path / "parts")


def toy(settings, seeds):
    """Return rows in the order of time, the seeds side by side, as stacked networks give them."""
    if "log" in settings:
        with open(settings["log"], "a") as log:
            log.write(f"{settings['rate']} {list(seeds)}\n")
    if Path(settings.get("trap", "nowhere")).exists():
        raise RAISED[Path(settings["trap"]).read_text()]
    rows = [(seed, step, np.float32(settings["rate"] * step + seed) / 7) for step in (0, 10, 20) for seed in seeds]
    return dict(zip(("seed", "step", "return"), map(np.array, zip(*rows, strict=True)), strict=True))


def toy_of_another_text(settings, seeds):
    return toy(settings, seeds)


def given(settings, seeds):
    return settings["columns"]


def diverged(settings, seeds):
    return {
        "seed": [7, 7, 7, 7],
        "step": np.array([1_234_567, 2, 3, 4]),
        "loss": np.array([1.23456789, np.nan, np.inf, -np.inf]),
        "word": ["a", "b", "\N{GREEK SMALL LETTER ALPHA}", "d"],
        "won": [True, False, True, True],
    }


def threads(settings, seeds):
    return {"seed": seeds, **{name: [os.environ.get(name, "")] for name in (*runner.THREADS, "RLKIT_PROGRESS")}}


def processes(settings, seeds):
    return {"seed": seeds, "process": [os.getpid() for _ in seeds]}


def first_stops(settings, seeds):
    if seeds == [0]:
        raise KeyboardInterrupt
    time.sleep(1)
    return {"seed": seeds}


def experiment(rates=(1, 2), seeds=(0, 1, 2, 3), group=2, function=toy, **settings):
    variants = {f"rate {rate}": {"rate": rate, **settings} for rate in rates}
    return Experiment("toy.steps", 3, function, variants, list(seeds), group)


def calls(log: Path) -> Counter:
    return Counter(log.read_text().splitlines())


def parts() -> set[str]:
    return {path.name for path in runner.PARTS.rglob("*.json")}


def file() -> Path:
    return runner.RESULTS / "toy.steps.json"


def same(one: Result, other: Result) -> bool:
    assert one.columns.keys() == other.columns.keys()
    return all(np.array_equal(one.columns[name], other.columns[name]) for name in one.columns)


# --- the same numbers however they were run ---


def test_jobs_and_groups_change_nothing() -> None:
    results = [run(experiment(group=group), jobs) for group, jobs in [(1, 1), (2, 2), (3, 2), (4, 1)]]
    assert len(parts()) == 8 + 4 + 2 + 2  # a group of three leaves seed 3 alone, as it was before
    assert all(same(results[0], result) for result in results[1:])
    assert [len(result.jobs["seeds"]) for result in results] == [8, 4, 4, 2]
    columns = results[0].columns
    assert columns["variant"] == ["rate 1"] * 12 + ["rate 2"] * 12
    assert columns["seed"].tolist() == [seed for _ in "ab" for seed in (0, 1, 2, 3) for _ in "abc"]
    assert columns["step"].tolist() == [0, 10, 20] * 8
    expected = [round((rate * step + seed) / 7, 4) for rate in (1, 2) for seed in range(4) for step in (0, 10, 20)]
    np.testing.assert_allclose(columns["return"], expected, atol=1e-4)


def test_the_backend_is_the_callers() -> None:
    with joblib.parallel_config(backend="threading"):
        threaded = run(experiment(), 2)
        assert set(run(experiment(function=processes), 2).columns["process"]) == {os.getpid()}
    assert same(threaded, run(experiment(group=4), 1))
    assert os.getpid() not in run(experiment(rates=(3, 4), function=processes), 2).columns["process"]


def test_the_order_of_variants_and_seeds_is_as_declared() -> None:
    result = run(experiment(rates=(9, 1), seeds=(5, 0), group=1), 1)
    assert list(result.settings) == ["rate 9", "rate 1"] and result.seeds == [5, 0]
    assert result.columns["seed"].tolist() == [5, 5, 5, 0, 0, 0] * 2
    assert result.columns["variant"][0] == "rate 9"


@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs_have_one_thread_and_no_bar(monkeypatch, jobs) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("RLKIT_PROGRESS", "elsewhere")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    result = run(experiment(seeds=(0, 1), group=1, function=threads), jobs)
    assert {value for name in runner.THREADS for value in result.columns[name]} == {"1"}
    assert set(result.columns["RLKIT_PROGRESS"]) == {"off"}
    assert os.environ["OMP_NUM_THREADS"] == "3" and os.environ["RLKIT_PROGRESS"] == "elsewhere"
    assert "MKL_NUM_THREADS" not in os.environ


def test_torch_has_one_thread_where_it_is_loaded(monkeypatch) -> None:
    asked: list[int] = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=asked.append))
    runner._do(toy, {"rate": 1}, ("a", (0,)))
    assert asked == [1]


# --- what is finished is kept ---


def test_a_second_call_runs_nothing_and_changes_no_byte(tmp_path, capsys) -> None:
    log = tmp_path / "log"
    first = run(experiment(log=str(log)), 2)
    text = file().read_bytes()
    assert set(calls(log).values()) == {1} and len(calls(log)) == 4
    assert same(first, run(experiment(log=str(log)), 2))
    assert set(calls(log).values()) == {1}
    assert file().read_bytes() == text
    for part in runner.PARTS.rglob("*.json"):
        part.write_text(part.read_text().replace(first.date, "2025-01-31"))
    assert run(experiment(log=str(log)), 2).date == "2025-01-31"  # when it ran, not when it was put together
    assert "nothing left to do" in capsys.readouterr().err


def test_what_changed_is_run_again_and_nothing_else(tmp_path, monkeypatch) -> None:
    log = tmp_path / "log"
    run(experiment(log=str(log)), 1)
    log.unlink()
    result = run(experiment(rates=(1, 5), log=str(log)), 1)
    assert calls(log) == {"5 [0, 1]": 1, "5 [2, 3]": 1}
    assert list(result.settings) == ["rate 1", "rate 5"]
    log.unlink()
    run(experiment(rates=(1, 5), seeds=(0, 1, 2, 3, 4), log=str(log)), 1)
    assert calls(log) == {"1 [4]": 1, "5 [4]": 1}
    log.unlink()
    run(experiment(rates=(1, 5), function=toy_of_another_text, log=str(log)), 1)
    assert len(calls(log)) == 4
    monkeypatch.setattr(runner, "_versions", lambda: {"python": "4.0"})
    run(experiment(rates=(1, 5), log=str(log)), 1)
    assert set(calls(log).values()) == {2}
    log.unlink()
    for rate in (1, 2, 1):  # under one label; the part of the first is still there for the third
        result = run(Experiment("toy.steps", 3, toy, {"a": {"rate": rate, "log": str(log)}}, [0, 1], 2), 1)
        assert result.columns["return"][1] == pytest.approx(rate * 10 / 7, rel=1e-5)
    assert calls(log) == {"1 [0, 1]": 1, "2 [0, 1]": 1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_job_that_fails_stops_no_other(tmp_path, jobs) -> None:
    log, trap = tmp_path / "log", tmp_path / "trap"
    trap.write_text("error")
    mixed = experiment(log=str(log))
    mixed.variants["rate 1"]["trap"] = str(trap)
    with pytest.raises(RuntimeError, match=r"toy.steps: 2 of 4 jobs failed.*rate 1, seeds \d-\d:\n(.*\n)+.*a trap"):
        run(mixed, jobs)
    assert len(parts()) == 2 and not file().exists()
    trap.unlink()
    run(mixed, jobs)
    assert calls(log) == {"1 [0, 1]": 2, "1 [2, 3]": 2, "2 [0, 1]": 1, "2 [2, 3]": 1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_job_that_is_interrupted_ends_the_run_and_loses_nothing(tmp_path, jobs) -> None:
    log, trap = tmp_path / "log", tmp_path / "trap"
    trap.write_text("interrupt")
    stopped = experiment(group=1, log=str(log))
    stopped.variants["rate 2"]["trap"] = str(trap)
    with pytest.raises(
        KeyboardInterrupt, match=r"^toy.steps: \d of 8 jobs finished .*; the same command goes on"
    ) as end:
        run(stopped, jobs)
    assert "\n" not in str(end.value) and end.value.__suppress_context__
    kept = parts()
    assert f"{len(kept)} of 8 jobs" in str(end.value)
    assert len(kept) >= 3  # with two workers, the fourth job may still be running when the fifth is interrupted
    assert not file().exists()
    trap.unlink()
    run(stopped, jobs)
    assert parts() > kept and len(parts()) == 8
    again = calls(log)
    for seed in range(4):
        if any(name.startswith(f"rate_1-{seed}-") for name in kept):
            assert again[f"1 [{seed}]"] == 1


def test_jobs_that_are_ended_on_purpose_give_no_warning(recwarn) -> None:
    with pytest.raises(KeyboardInterrupt, match="0 of 3 jobs"):
        run(experiment(rates=[1], seeds=(0, 1, 2), group=1, function=first_stops), 2)
    assert not recwarn.list


def test_an_interrupted_job_is_told_without_an_exception() -> None:
    # joblib throws away what has arrived but is not read yet as soon as a job raises
    def interrupted(settings, seeds):
        raise KeyboardInterrupt

    assert runner._do(interrupted, {}, ("a", (0,))) == (("a", (0,)), None, None)


SCRIPT = """
    import sys, time
    from pathlib import Path
    from rlkit.experiments import Experiment, runner
    from rlkit.experiments.__main__ import main

    runner.RESULTS = Path("results")

    def slow(settings, seeds):
        open("log", "a").write(f"{seeds}\\n")
        if not seeds[0] == 0 and not Path("fast").exists():
            time.sleep(60)
        return {"seed": seeds}

    if __name__ == "__main__":
        import script
        sys.exit(main(["3"], [Experiment("toy.slow", 3, script.slow, {"a": {}}, [0, 1, 2, 3])]))
"""


@pytest.mark.skipif(os.name == "nt", reason="sends a signal to a group of processes")
def test_control_c_in_a_terminal(tmp_path) -> None:
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, "script.py"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        text=True,
        start_new_session=True,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # it is ignored where tests run in the background
    )
    ended = time.monotonic() + 60
    started = tmp_path / "log"
    while not (started.exists() and len(started.read_text().splitlines()) == 3 and list(tmp_path.rglob("a-0-*.json"))):
        assert process.poll() is None and time.monotonic() < ended
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    sentence = "toy.slow: 1 of 4 jobs finished and kept in _build/experiments; the same command goes on from there."
    assert told.splitlines()[-1] == sentence
    assert not list(tmp_path.rglob("*.tmp"))
    (tmp_path / "fast").touch()
    done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=True)
    assert done.stdout.startswith("toy.slow: 1 variant x 4 seeds")
    assert calls(started)["[0]"] == 1


# --- the file ---


@pytest.mark.parametrize("crash", ["write", "replace"])
def test_a_crash_leaves_the_old_file(tmp_path, monkeypatch, crash) -> None:
    before = run(experiment(), 1)
    text = file().read_bytes()
    run(experiment(rates=(1, 5)), 1)
    file().write_bytes(text)  # the parts of the new run are there; its results are written next
    write = Path.write_text

    def half(self, data, **options):
        write(self, data[: len(data) // 2], **options)
        raise OSError("the disk is full")

    def refuse(source, target):
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        if crash == "write":
            patch.setattr(Path, "write_text", half)
        else:
            patch.setattr(runner.os, "replace", refuse)
        with pytest.raises(OSError, match="the disk"):
            run(experiment(rates=(1, 5)), 1)
    assert file().read_bytes() == text
    assert same(load("toy.steps"), before)
    assert [path.name for path in runner.RESULTS.iterdir()] == ["toy.steps.json"]
    assert list(run(experiment(rates=(1, 5)), 1).settings) == ["rate 1", "rate 5"]


def test_the_file_is_laid_out_for_small_differences() -> None:
    def ordered(pairs):
        assert [key for key, _ in pairs] == sorted(key for key, _ in pairs)
        return dict(pairs)

    run(experiment(rates=(2, 1), sizes=[4, 64], nested={"b": 1, "a": [1, {"d": 1, "c": 2}]}), 1)
    text = file().read_text("utf-8")
    data = json.loads(text, object_pairs_hook=ordered)
    assert data["settings"]["rate 1"] == {"rate": 1, "sizes": [4, 64], "nested": {"b": 1, "a": [1, {"d": 1, "c": 2}]}}
    lists = [line for line in text.splitlines() if "[" in line]
    assert len(lists) == 15 and all(re.fullmatch(r' +"[^"]+": \[.*\],?', line) for line in lists)
    assert not any(", " in line or ": " in line.split(": ", 1)[1] for line in lists)
    other = run(experiment(rates=(2, 7), sizes=[4, 64], nested={"b": 1, "a": [1, {"d": 1, "c": 2}]}), 1)
    assert other.settings["rate 7"]["rate"] == 7
    kept = [line for line in lists if '"return": ' in line]
    assert kept[1].rstrip(",") in file().read_text("utf-8")  # what did not change is the same line


def test_nothing_of_the_machine_in_the_file() -> None:
    run(experiment(), 1)
    text = file().read_text("utf-8")
    assert "/" not in text and "\\" not in text
    data = json.loads(text)
    assert data.keys() == set(Result.__dataclass_fields__)
    assert re.fullmatch(r"[\w ]+, \d+ cores?", data["machine"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", data["date"])
    assert re.fullmatch(r"[0-9a-f]{12}", data["source"])
    assert data["versions"].keys() == {"python", *runner.PACKAGES}
    assert all(re.fullmatch(r"\d+\.\d+[\w.+]*", version) for version in data["versions"].values())
    assert data["jobs"].keys() == {"variant", "seeds", "cpu_seconds", "wall_seconds"}


def test_load_returns_what_was_run() -> None:
    run(Experiment("toy.diverged", 4, diverged, {"a": {}}, [7]), 1)
    assert "NaN" not in (runner.RESULTS / "toy.diverged.json").read_text()
    assert "Infinity" not in (runner.RESULTS / "toy.diverged.json").read_text()
    result = load("toy.diverged")
    assert result.columns["step"].tolist() == [1_234_567, 2, 3, 4] and result.columns["step"].dtype.kind == "i"
    np.testing.assert_array_equal(result.columns["loss"], [1.23457, np.nan, np.nan, np.nan])
    assert result.columns["word"] == ["a", "b", "\N{GREEK SMALL LETTER ALPHA}", "d"]
    assert result.columns["won"].dtype == bool and result.columns["won"].tolist() == [True, False, True, True]
    assert result.columns["variant"] == ["a"] * 4
    assert (result.chapter, result.seeds, result.settings) == (4, [7], {"a": {}})
    assert result.command == "make experiments CH=4"


def test_a_result_says_in_a_line_what_it_is() -> None:
    result = run(experiment(seeds=[3]), 1)
    assert re.fullmatch(
        r"toy\.steps: 2 variants x 1 seed, 20\d\d-\d\d-\d\d, 0 CPU seconds;\nrepeat with `make experiments CH=3`",
        repr(result),
    )
    result.jobs["cpu_seconds"][:] = [61.0, 660.0]
    assert result.cpu_seconds == 721
    assert ", 12 CPU minutes;" in repr(result)


def test_seconds_are_measured_in_the_job() -> None:
    def busy(settings, seeds):
        ended = time.process_time() + 0.1
        while time.process_time() < ended:
            pass
        time.sleep(0.2)
        return {"seed": seeds}

    _, record, _ = runner._do(busy, {}, ("a", (0,)))
    assert 0.1 <= record["cpu_seconds"] <= record["wall_seconds"] - 0.1


def test_results_are_found_beside_the_package() -> None:
    code = (
        "import sys; from rlkit.experiments import load, runner; print(runner.RESULTS)\n"
        "from pathlib import Path; runner.RESULTS = Path(sys.argv[1]); print(load('toy.steps'))\n"
        "print(*({'torch', 'joblib', 'tqdm', 'matplotlib', 'gymnasium'} & sys.modules.keys()))"
    )
    run(experiment(), 1)
    command = [sys.executable, "-c", code, str(runner.RESULTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=runner.RESULTS)
    where, told, _, heavy = done.stdout.splitlines()
    assert Path(where) == Path(rlkit.experiments.__file__).parent / "results"
    assert told.startswith("toy.steps: 2 variants x 4 seeds")
    assert heavy == ""


# --- a table for a figure ---


def stored(columns, seeds=(0, 1), variants=("a",)) -> Result:
    return run(
        Experiment("toy.given", 3, given, {v: {"columns": columns} for v in variants}, list(seeds), len(seeds)), 1
    )


def test_table_has_a_row_for_each_seed() -> None:
    result = run(experiment(seeds=(3, 0, 1)), 1)
    x, y = result.table("return", variant="rate 2")
    assert x.tolist() == [0, 10, 20] and x.dtype == y.dtype == float
    np.testing.assert_allclose(y, [[(2 * step + seed) / 7 for step in (0, 10, 20)] for seed in (3, 0, 1)], rtol=1e-5)
    only = stored({"seed": [0, 1, 0, 1], "at": [0, 0, 1, 1], "v": [1.5, 2.5, 3.5, 4.5]})
    x, y = only.table("v", index="at")  # one variant needs no name
    assert x.tolist() == [0, 1] and y.tolist() == [[1.5, 3.5], [2.5, 4.5]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"value": "v", "variant": "a"}, "the seeds 0 and 1 of 'a' differ in step, so they make no table"),
        ({"value": "v", "index": "at", "variant": "a"}, "the seeds 0 and 2 of 'a' differ in at"),
        (
            {"value": "nothing", "variant": "a"},
            "'nothing' is no column of numbers of toy.given: there are at, seed, step, v",
        ),
        ({"value": "v", "index": "word", "variant": "a"}, "'word' is no column of numbers"),
        ({"value": "v"}, "variant must be one of a, b, not None"),
        ({"value": "v", "variant": "c"}, "variant must be one of a, b, not 'c'"),
    ],
)
def test_table_refuses(arguments, sentence) -> None:
    columns = {"seed": [0, 0, 1, 1, 2], "step": [0, 1, 0, 2, 0], "at": [0, 1, 0, 1, 0], "v": [1, 2, 3, 4, 5]}
    result = stored(columns | {"word": list("abcde")}, (0, 1, 2), ("a", "b"))
    with pytest.raises(ValueError, match=re.escape(sentence)):
        result.table(**arguments)


# --- at the door ---


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ([1, 2], "toy.given, a, seeds 0-1: run must return columns by name, one of them 'seed', not [1, 2]"),
        ({"step": [1, 2]}, "run must return columns by name, one of them 'seed'"),
        ({"seed": [0, 1], "step": [1]}, "the column 'step' has 1 entries, but 'seed' 2"),
        ({"seed": [0, 1], "variant": ["a", "b"]}, "the column 'variant' is added by the runner"),
        ({"seed": [0, 1], "v": [1, "x"]}, "the column 'v' must be a list of numbers or of strings: [1, 'x']"),
        ({"seed": [0, 1], "v": [[1], [2]]}, "the column 'v' must be a list of numbers or of strings"),
        ({"seed": [0, 1], "v": "ab"}, "the column 'v' must be a list of numbers or of strings"),
        ({"seed": [0, 1], "v": 2}, "the column 'v' must be a list of numbers or of strings"),
        ({"seed": [0, 2]}, "the column 'seed' holds [0, 2]"),
        ({"seed": [0, 0]}, "the column 'seed' holds [0]"),
        ({"seed": []}, "the column 'seed' holds []"),
    ],
)
def test_what_a_run_must_not_return(columns, sentence) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as error:
        stored(columns)
    assert "\n" not in str(error.value)
    assert not parts()


def test_all_variants_have_the_same_columns() -> None:
    variants = {"a": {"columns": {"seed": [0], "x": [1]}}, "b": {"columns": {"seed": [0], "y": [1]}}}
    with pytest.raises(ValueError, match=r"toy.given: the columns of 'b' are seed, y, of others seed, x"):
        run(Experiment("toy.given", 3, given, variants, [0]), 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "../toy"}, "name must be small letters, digits, underscores and dots, not '../toy'"),
        ({"name": "Toy"}, "name must be small letters"),
        ({"chapter": 0}, "chapter is 0, but a whole number of at least 1 was expected"),
        ({"run": print}, "run must be a function, not <built-in function print>"),
        ({"variants": {}}, "variants must hold the settings of at least one variant"),
        ({"variants": {"a": 1}}, "variants must be dicts of settings by label, not {'a': 1}"),
        ({"variants": {1: {}}}, "variants must be dicts of settings by label, not {1: {}}"),
        ({"variants": {"a": {"f": print}}}, "the settings of 'a' hold what JSON cannot: "),
        ({"variants": {"a": {"lr": math.nan}}}, "the settings of 'a' hold what JSON cannot: {'lr': nan}"),
        ({"seeds": []}, "seeds must be one or more numbers, each once, not []"),
        ({"seeds": [1, 1]}, "seeds must be one or more numbers, each once, not [1, 1]"),
        ({"seeds": [0.5]}, "seed is 0.5, but a whole number of at least 0 was expected"),
        ({"group": 0}, "group is 0, but a whole number of at least 1 was expected"),
    ],
)
def test_what_an_experiment_must_be(change, sentence) -> None:
    fields = {"name": "toy", "chapter": 3, "run": toy, "variants": {"a": {"rate": 1}}, "seeds": range(2)}
    assert Experiment(**fields).seeds == [0, 1]
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Experiment(**(fields | change))


def test_load_names_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"^no result 'toy.steps' is stored: there are none$"):
        load("toy.steps")
    run(experiment(), 1)
    (runner.RESULTS / "of_others.csv").touch()
    with pytest.raises(ValueError, match=r"^no result '../toy' is stored: there are toy.steps$"):
        load("../toy")


def test_jobs_must_be_a_number() -> None:
    with pytest.raises(ValueError, match="jobs is 0, but a whole number of at least 1"):
        run(experiment(), 0)


# --- the command line ---


def two() -> list[Experiment]:
    other = Experiment("toy.other", 4, given, {"a": {"columns": {"seed": [0]}}}, [0])
    return [experiment(), other]


def test_a_chapter_one_or_all(capsys) -> None:
    assert main(["4", "--jobs", "1"], two()) == 0
    assert capsys.readouterr().out.startswith("toy.other: 1 variant x 1 seed")
    assert runner.stored() == ["toy.other"]
    assert main(["--only", "toy.steps", "--jobs", "1"], two()) == 0
    assert capsys.readouterr().out.startswith("toy.steps: 2 variants x 4 seeds")
    assert main([], two()) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told if line.startswith("toy")] == ["toy.steps", "toy.other"]


def test_the_list_says_what_is_stored(capsys) -> None:
    assert main(["--list"], two()) == 0
    assert not runner.PARTS.exists()
    assert capsys.readouterr().out.splitlines() == [
        "toy.steps: chapter 3, nothing stored yet",
        "toy.other: chapter 4, nothing stored yet",
    ]
    run(experiment(), 1)
    capsys.readouterr()
    main(["3", "--list"], two())
    assert capsys.readouterr().out == f"{load('toy.steps')}\n"
    for changed in (experiment(rates=(1, 5)), experiment(seeds=(0, 1)), experiment(function=toy_of_another_text)):
        main(["--list"], [changed])
        assert capsys.readouterr().out == f"{load('toy.steps')} (its code or settings have changed since)\n"
    assert experiment(group=1).matches(load("toy.steps"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["7"], "error: there is no experiment in chapter 7; there are: toy.steps (chapter 3), toy.other (chapter 4)"),
        (["--only", "toy.step"], "error: there is no experiment 'toy.step'; there are: toy.steps (chapter 3), toy.oth"),
        (["4", "--only", "toy.steps"], "error: there is no experiment 'toy.steps' in chapter 4; there are: toy.steps"),
        (["3", "--jobs", "0"], "error: jobs is 0, but a whole number of at least 1 was expected"),
    ],
)
def test_errors_are_one_sentence(arguments, sentence, capsys) -> None:
    assert main(arguments, two()) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith(sentence) and len(told.err.splitlines()) == 1


def test_a_failure_is_told_and_the_next_experiment_runs(tmp_path, capsys) -> None:
    trap = tmp_path / "trap"
    trap.write_text("error")
    assert main(["--jobs", "1"], [experiment(rates=[1], trap=str(trap)), two()[1]]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("toy.other: ")
    assert "rate 1, seeds 0-1: failed (RuntimeError: a trap)" in told.err
    assert "error: toy.steps: 2 of 2 jobs failed, what was finished is kept." in told.err


def test_an_interruption_is_told(tmp_path, capsys) -> None:
    trap = tmp_path / "trap"
    trap.write_text("interrupt")
    assert main(["--jobs", "1"], [experiment(rates=[1], trap=str(trap)), two()[1]]) == 130
    told = capsys.readouterr()
    assert told.out == "" and "toy.steps: 0 of 2 jobs finished and kept in " in told.err.splitlines()[-1]


def test_the_bar_names_jobs_that_run_and_jobs_that_are_finished(capsys) -> None:
    run(experiment(seeds=(0, 1, 4), group=1), 2)
    told = capsys.readouterr().err
    assert "rate 1, seed 0 00:00, rate 1, seed 1 00:00]" in told
    assert re.search(r"rate 1, seed 4 00:0\d", told)
    assert len(re.findall(r"rate 2, seed \d: finished in 00:0\d", told)) == 3
    assert re.search(r"6/6 \[[^\]]*job/s\]", told) or re.search(r"6/6 \[[^\]]*s/job\]", told)
