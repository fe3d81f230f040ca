"""A3C: workers in processes of their own, each with its own worlds, all of which change the same weights."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import connection
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rlkit.core.checks import brief, real_array
from rlkit.core.returns import gae
from rlkit.core.types import TrainResult
from rlkit.envs.worlds import MakeEnv, Worlds
from rlkit.learn.actor_critic.a2c import Rollout, a2c_loss, both, check_settings, judged
from rlkit.learn.episodes import examiner, run_steps
from rlkit.learn.record import Record
from rlkit.learn.reinforce import acting, mean_over
from rlkit.learn.settings import check_policy, check_value, check_whole

Loss = Callable[[nn.Module, nn.Module, Rollout], Tensor]
SPAWN = multiprocessing.get_context("spawn")
PATIENCE = 5.0
"""Seconds that workers have to finish their round after an interrupt, before they are ended."""


def train_a3c(
    make_env: MakeEnv,
    policy: nn.Module,
    critic: nn.Module,
    *,
    steps: int,
    workers: int = 2,
    worlds: int = 1,
    length: int = 20,
    seed: int = 0,
    gamma: float = 0.99,
    lam: float = 1.0,
    lr: float = 1e-3,
    scale: float = 1.0,
    loss: Loss = a2c_loss,
    test_every: int = 0,
    test_episodes: int = 20,
) -> TrainResult:
    """Learn one policy and one critic in several processes at once, none of which waits for another.

    What each of them does is :func:`worker`. **Its numbers do not repeat**, as those of all other learners here do: in which
    order the workers read and write the weights is up to the machine, and so is what is learned. Only with one worker it is
    the same each time, and the same as :func:`~rlkit.learn.actor_critic.train_a2c` with one copy and as many worlds.

    The workers are new processes, which know of your program only what they can import: in a script, call this below
    ``if __name__ == "__main__":``.

    Args:
        make_env: from a number of worlds to a vector environment: see :class:`~rlkit.envs.Worlds`. It must stand at the top
            level of a module, or be a ``functools.partial`` of what does.
        policy: pi, with one copy; it is trained in place.
        critic: V, a network with one copy and one output; it may share layers with pi.
        steps: how many steps are made by all workers together; what is left after the last whole round is not made.
        workers: how many processes.
        worlds: how many worlds each of them acts in.
        length: how many steps in each world lie between two updates by the same worker, at least 2.
        seed: of worlds and actions.
        gamma, lam, lr, scale, loss: as for :func:`~rlkit.learn.actor_critic.train_a2c`.
        test_every: test the policy's likeliest actions after every so many steps (default: never). The weights of that
            moment are put aside, and this process tests them while the workers go on.
        test_episodes: how many episodes a test has.

    Returns:
        TrainResult. Its ``updates`` have an entry for each update: "worker"; "begin" and "end", when it read the weights and
        when it had changed them, in seconds of one clock; "cpu", the processor time in between, in seconds; "staleness",
        how many updates by others fell in between; and "loss". Its ``episodes`` have a column "worker" too. Interrupting
        the kernel ends the run and all workers; what was learned until then is kept.

    Raises:
        ValueError: an argument that does not fit, or cannot be sent to another process.
        RuntimeError: a worker failed; the others have been ended.

    Source: Mnih et al. (2016), algorithm S3, with Adam in the place of RMSProp, and with rounds that go on where an episode ends.
    """
    params = dict(locals())  # the arguments, before there is anything else
    params |= {"copies": 1, "normalise": False, "advantages": gae}
    check_settings(params)
    check_more(params)
    world = Worlds(make_env, 1, worlds, seed)
    check_policy(policy, world)
    check_value("critic", critic, world)
    weights, shared = both(policy, critic), Shared(both(policy, critic), params)
    played = examiner(acting(policy), make_env, params)

    def test(t: int) -> dict[str, np.ndarray]:
        load(weights, shared.kept[shared.due.index(t)])
        return played(t)

    with Record(policy, test, test_every) as record:
        try:
            with Crew(shared, params) as crew:
                crew.start()
                for t in record.count(steps, worlds * length):
                    crew.wait_for(t)
                crew.wait_for_logs()
        finally:
            load(weights, shared.theta)
            record.t = shared.updates * worlds * length
    return replace(record.result(crew.episodes(), params), updates=crew.updates())


def worker(shared: Shared, world: Worlds, chance: torch.Generator, params: dict[str, Any], log: Log) -> None:
    """Learn beside others, until all steps are taken.

    1. do as long as there are steps left to take: claim the next few
    2.     read the shared weights: theta' := theta
    3.     take these steps by a ~ pi(.|s) with theta'
    4.     A_t and the critic's target, as in A2C, with theta'
    5.     g := the gradient, by theta', of the mean of -log pi(a_t|s_t) A_t + 1/2 (target_t - V(s_t))^2
    6.     change the shared weights by g, whatever they are by now: one step of Adam on theta

    Args:
        shared: theta, the policy's and the critic's weights, and whatever else all workers see.
        world: where to act.
        chance: what actions are drawn with.
        params: the arguments of the run. Its "policy" and "critic" are this worker's own, with weights theta'.
        log: where each round is written down.

    Source: Mnih et al. (2016), algorithm S3.
    """
    policy, critic, loss = params["policy"], params["critic"], params["loss"]
    own = both(policy, critic)
    while (claim := shared.claim()) and parent_lives():  # (1)
        log.begin()
        load(own, shared.theta)  # (2)
        step = run_steps(world, acting(policy, chance), params["length"])  # (3)
        run = judged(step, policy, critic, params)  # (4)
        error = mean_over(run.real, loss(policy, critic, run)).sum()
        g = torch.cat([part.flatten() for part in torch.autograd.grad(error, own)])  # (5)
        number = shared.count_update()
        push(shared.theta, shared.mean, shared.square, g, params["lr"], number)  # (6)
        log.end(claim, number, error.item())
        shared.finish(claim)


@torch.no_grad()
def push(theta: Tensor, mean: Tensor, square: Tensor, g: Tensor, lr: float, number: int) -> None:
    """Take a step of Adam on weights and moments that others may change at the same moment: there is no lock.

    Of two processes that change the same number at once, one may overwrite what the other has done. It is rare, and mostly
    does no more harm than a slightly different gradient (Recht et al. 2011). But while one has added its gradient to the mean,
    and not yet to the square, another divides something by nothing: a single step would then be thousands of times too
    long. So no step is longer than 10 lr; those of Adam alone are never longer than 7.3 lr.

    Args:
        theta, mean, square: float[n] each, the weights and their moments, in shared memory; they are changed in place.
        g: float[n], the gradient.
        lr: the step size.
        number: how many updates there have been, this one included.

    Source: Kingma and Ba (2015), algorithm 1; the same numbers as :class:`rlkit.nets.Adam`, if nobody interferes.
    """
    b1, b2, eps = 0.9, 0.999, 1e-8
    mean.lerp_(g, 1 - b1)
    square.mul_(b2).addcmul_(g, g, value=1 - b2)
    size = square.sqrt().div_((1 - b2**number) ** 0.5).add_(eps)
    longest = size * (10 * (1 - b1**number))
    theta.addcdiv_(mean.clamp(-longest, longest), size, value=-lr / (1 - b1**number))


@torch.no_grad()
def load(weights: list[nn.Parameter], numbers: Tensor) -> None:
    """Copy numbers, float[n], into weights that have as many entries together."""
    for own, part in zip(weights, numbers.split([p.numel() for p in weights]), strict=True):
        own.copy_(part.view_as(own))


# -- what all processes see ------------------------------------------------------------------------------------------


class Shared:
    """Numbers in shared memory. The weights have no lock; the two counters have one, so that no step is taken twice.

    Args:
        weights: what is to be learned.
        params: the arguments of the run.

    Attributes:
        theta, mean, square: float[n], the weights and their moments.
        kept: float[tests, n], the weights after each of the steps in ``due``.
        due: the steps after which there is a test.
    """

    def __init__(self, weights: list[nn.Parameter], params: dict[str, Any]):
        self.n, self.at_once = sum(p.numel() for p in weights), params["worlds"] * params["length"]
        every, all_steps = params["test_every"], range(self.at_once, params["steps"] + 1, self.at_once)
        self.due = [t for t in all_steps if every and t // every > (t - self.at_once) // every]
        self._rounds, self._lock = len(all_steps), SPAWN.Lock()
        self._numbers = SPAWN.RawArray("f", (3 + len(self.due)) * self.n)
        self._claimed, self._updated, self._stop = (SPAWN.RawValue("q") for _ in range(3))
        self._finished = SPAWN.RawArray("b", self._rounds)
        self._look()
        self.theta.copy_(torch.cat([p.detach().flatten() for p in weights]))

    def _look(self) -> None:
        rows = torch.from_numpy(np.frombuffer(self._numbers, np.float32)).view(-1, self.n)
        self.theta, self.mean, self.square, self.kept = rows[0], rows[1], rows[2], rows[3:]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not isinstance(value, Tensor)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._look()

    @property
    def updates(self) -> int:
        """How many updates there have been."""
        return int(self._updated.value)

    def claim(self) -> tuple[int, int] | None:
        """Return how many steps are taken or claimed with these, and how many updates there have been; None at the end."""
        with self._lock:
            if self._stop.value or self._claimed.value == self._rounds:
                return None
            self._claimed.value += 1
            return self._claimed.value * self.at_once, self._updated.value

    def count_update(self) -> int:
        """Count one more update, and return how many that makes."""
        with self._lock:
            self._updated.value += 1
            return int(self._updated.value)

    def finish(self, claim: tuple[int, int]) -> None:
        """Say that a round is over; if a test is due after it, put the weights aside as they are now."""
        t, _ = claim
        if t in self.due:
            self.kept[self.due.index(t)] = self.theta
        self._finished[t // self.at_once - 1] = True

    def finished(self, t: int) -> bool:
        """Say whether the round is over that ends with step t."""
        return bool(self._finished[t // self.at_once - 1])

    def stop(self) -> None:
        """Let nobody claim any more steps."""
        self._stop.value = True


class Log:
    """What one worker writes down.

    Args:
        number: whose log it is.
        start: the moment that its seconds are counted from.
    """

    def __init__(self, number: int, start: float):
        self._number, self._start = number, start
        self._rows: list[tuple[float, ...]] = []

    def begin(self) -> None:
        """Note that a round begins."""
        self._began = time.monotonic(), time.process_time()  # the first is the same clock in all processes

    def end(self, claim: tuple[int, int], number: int, loss: float) -> None:
        """Note that a round has ended: with which claim it began, which update it was, and its loss."""
        (t, before), (begin, cpu) = claim, self._began
        took, now = time.process_time() - cpu, time.monotonic()
        self._rows.append((t, loss, begin - self._start, now - self._start, took, number - 1 - before))

    def columns(self, world: Worlds, at_once: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the columns of its updates, of so many steps at once, and those of the episodes in its worlds."""
        names, rows = ("step", "loss", "begin", "end", "cpu", "staleness"), np.array(self._rows).reshape(-1, 6)
        updates = dict(zip(names, rows.T, strict=True))
        updates |= {name: updates[name].astype(int) for name in ("step", "staleness")}
        episodes = world.episodes()
        place = (episodes["step"] - 1) // at_once  # in which of its rounds each has ended
        episodes["step"] += updates["step"][place] - (place + 1) * at_once  # steps of this worker become steps of all
        for columns in (updates, episodes):
            columns["worker"] = np.full(len(columns["step"]), self._number)
        return updates, episodes


# -- processes -------------------------------------------------------------------------------------------------------


class Crew:
    """The workers, as seen by their parent. Use it as ``with Crew(...) as crew:``; when that ends, none of them is left.

    Args:
        shared: what all see.
        params: the arguments of the run.
    """

    def __init__(self, shared: Shared, params: dict[str, Any]):
        self._shared, self._params = shared, params
        self._processes: list[Any] = []
        self._open: dict[Any, int] = {}  # pipes, by whose they are
        self._logs: list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]] = []
        self._waiting = params["workers"]  # for their word that they are ready

    def __enter__(self) -> Crew:
        return self

    def start(self) -> None:
        """Start all workers, and let them begin together as soon as each has its worlds."""
        job = pickle.dumps(self._params)
        for number in range(self._params["workers"]):
            pipe, theirs = SPAWN.Pipe()
            process = SPAWN.Process(target=run_worker, args=(number, theirs, self._shared, job), daemon=True)
            with starting():
                process.start()
            self._processes.append(process)
            self._open[pipe] = number
            theirs.close()  # so that the pipe ends where its worker does
        while self._waiting:
            self._hear()
        start = time.monotonic()
        for pipe in self._open:
            with suppress(OSError):  # one that has died since is heard of later
                pipe.send(start)

    def wait_for(self, t: int) -> None:
        """Wait until the round is over that ends with step t."""
        while not self._shared.finished(t):
            self._hear(0.01)

    def wait_for_logs(self) -> None:
        """Wait until every worker has handed in what it wrote down."""
        while self._open:
            self._hear()

    def _hear(self, timeout: float | None = None) -> None:
        """Take in what workers say, and raise an error where one has failed."""
        heard: list[Any] = connection.wait(list(self._open), timeout)
        for pipe in heard:
            number = self._open[pipe]
            try:
                kind, said = pipe.recv()
            except (EOFError, OSError):
                del self._open[pipe]
                self._processes[number].join()
                raise RuntimeError(self._how_it_died(number)) from None
            if kind == "ready":
                self._waiting -= 1
                continue
            del self._open[pipe]
            if kind == "log":
                self._logs.append(said)
            elif kind == "not found":
                raise ValueError(said)
            else:
                raise RuntimeError(f"worker {number} failed: {said}")

    def _how_it_died(self, number: int) -> str:
        reason = ""
        if self._waiting:
            reason = ' (in a script, train_a3c must be called below `if __name__ == "__main__":`)'
        code = self._processes[number].exitcode
        return f"worker {number} ended with exit code {code} before its work was done{reason}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shared.stop()
        deadline = time.monotonic() + (0 if self._waiting else PATIENCE)
        try:
            while self._open and (left := deadline - time.monotonic()) > 0:
                with suppress(RuntimeError):  # of several that fail, the first is reported
                    self._hear(left)
        finally:
            for process in self._processes:
                process.kill()  # which does nothing to one that has ended
                process.join()
            for pipe in self._open:
                pipe.close()

    def updates(self) -> dict[str, np.ndarray]:
        """Return the updates of all workers, in the order in which their steps were claimed."""
        return self._merged(0, ("step", "loss", "worker", "begin", "end", "cpu", "staleness"))

    def episodes(self) -> dict[str, np.ndarray]:
        """Return the finished episodes of all workers, in the order in which they ended."""
        return self._merged(1, ("step", "length", "return", "worker"))

    def _merged(self, which: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        logs = [log[which] for log in self._logs]
        columns = {name: np.concatenate([log[name] for log in logs] or [np.zeros(0)]) for name in names}
        order = np.argsort(columns["step"], kind="stable")
        return {"copy": np.zeros(len(order), int)} | {name: column[order] for name, column in columns.items()}


@contextmanager
def starting() -> Iterator[None]:
    """Let processes that are started in here be deaf to Ctrl-C, and be plain ones even where joblib has other customs.

    Ctrl-C in a terminal or a notebook reaches all processes, and the parent decides what it means. A process of joblib's tells
    those that it starts to use joblib's way of starting processes, which they do not know.
    """
    method = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    masks = hasattr(signal, "pthread_sigmask")  # not on Windows
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else None
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        multiprocessing.set_start_method(method, force=True)


def parent_lives() -> bool:
    """Say whether the process that started this one is still there; True if none did."""
    parent = multiprocessing.parent_process()
    return parent is None or parent.is_alive()


def run_worker(number: int, pipe: Any, shared: Shared, job: bytes) -> None:
    """Be a worker: what its process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    with suppress(BrokenPipeError, ConnectionResetError):  # the parent has gone
        pipe.send(outcome(number, pipe, shared, job))


def outcome(number: int, pipe: Any, shared: Shared, job: bytes) -> tuple[str, Any]:
    """Do the work, and return what the parent is told at the end: its kind, and a sentence or the log."""
    try:
        params = pickle.loads(job)
    except Exception as error:
        return "not found", (
            f"a worker does not find what it needs ({error}): what make_env, policy, critic and loss are made of must stand in a "
            "module, a .py file, because other processes do not see what was defined in a notebook"
        )
    try:
        seed = params["seed"] + 10_007 * number
        world, chance = Worlds(params["make_env"], 1, params["worlds"], seed), torch.Generator().manual_seed(seed)
        pipe.send(("ready", None))
        log = Log(number, pipe.recv())
        worker(shared, world, chance, params, log)
        return "log", log.columns(world, shared.at_once)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return "failed", f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"


def check_more(params: dict[str, Any]) -> None:
    """Refuse at the door what A2C does not know of."""
    check_whole(params, {"workers": 1, "length": 2})  # a single step could be one that only begins an episode
    if not float(real_array("lr", params["lr"], ())) > 0:
        raise ValueError(f"lr is {params['lr']}, but a step size above 0 was expected")
    for name in ("make_env", "policy", "critic", "loss"):
        try:
            pickle.dumps(params[name])
        except Exception:
            raise ValueError(
                f"{name} is {brief(params[name])}, which cannot be sent to another process: a function or class at the top "
                "level of a module, or a functools.partial of one, was expected"
            ) from None
