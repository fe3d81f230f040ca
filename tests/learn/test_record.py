"""What a run writes down: losses by stretches, tests, and for each copy the weights of its best test."""

import numpy as np
import pytest
import torch

from rlkit.envs import Worlds
from rlkit.learn.record import STRETCHES, Record
from rlkit.nets import StackedMLP
from tests.envs.toys import Scripted


def worlds(copies):
    return Worlds(lambda n: Scripted(n, [[(3, "terminated")]] * n), copies, 2, 0)


def scored(scores):
    """Return a test that says these scores, one after the other: a list of float[K]."""
    left = iter(scores)
    return lambda t: {"return": np.array(next(left), float), "steps so far": float(t)}


def run(scores, steps, test_every, copies=3, ends=None):
    """Return the result of a run that sets all weights to the number of steps so far."""
    network = StackedMLP([2, 2], copies)
    with Record(network, scored(scores), test_every) as record:
        for t in record.count(steps, 2):
            if ends and t > ends:
                raise KeyboardInterrupt
            for parameter in network.parameters():
                parameter.data[:] = t
    return record.result(worlds(copies).episodes(), {"copies": copies, "steps": steps})


def weights(network):
    first = next(network.parameters())
    assert all(
        torch.equal(p.flatten(1).max(dim=1).values, p.flatten(1).min(dim=1).values) for p in network.parameters()
    )
    return first[:, 0, 0].tolist()


def test_each_copy_keeps_the_weights_of_its_best_test():
    """Tests at 4, 8 and 12 steps; the best ones of the three copies are the last, the first, and the first of two equals."""
    result = run([[1, 9, 5], [2, 7, 7], [3, 8, 7]], 12, 4)
    assert weights(result.best) == [12, 4, 8]
    assert weights(result.policy) == [12, 12, 12]
    assert result.tests["copy"].tolist() == [0, 1, 2] * 3
    assert result.tests["step"].tolist() == [4] * 3 + [8] * 3 + [12] * 3
    assert result.tests["return"].tolist() == [1, 9, 5, 2, 7, 7, 3, 8, 7]
    assert result.tests["steps so far"].tolist() == result.tests["step"].tolist()
    assert {t: weights(network) for t, network in result.snapshots.items()} == {t: [t] * 3 for t in (4, 8, 12)}


def test_the_best_of_negative_returns_is_one_that_was_tested():
    """Not the weights that the run began with, though their score, never taken, would be taken for 0."""
    assert weights(run([[-5, -9, -1], [-6, -8, -1]], 8, 4).best) == [4, 8, 4]


def test_a_test_comes_when_it_is_due_and_not_more_often_than_steps_are_made():
    assert run([[0] * 3] * 9, 20, 5).tests["step"][::3].tolist() == [6, 10, 16, 20]
    assert run([[0] * 3] * 9, 6, 1).tests["step"][::3].tolist() == [2, 4, 6]


def test_without_tests_the_best_is_the_last():
    result = run([], 12, 0)
    assert weights(result.best) == [12] * 3
    assert result.best is not result.policy
    assert result.snapshots == {}
    assert {name: len(column) for name, column in result.tests.items()} == {"copy": 0, "step": 0, "return": 0}


def test_an_interrupted_run_has_the_best_of_the_tests_that_it_took(capsys):
    result = run([[3, 1, 1], [2, 2, 2], [9, 9, 9]], 12, 4, ends=10)
    assert weights(result.best) == [4, 8, 8]
    assert weights(result.policy) == [10] * 3
    assert capsys.readouterr().out == "Interrupted: what was learned in 12 steps is kept.\n"


def test_an_interrupt_in_the_middle_of_a_test_leaves_the_tests_before(capsys):
    def test(t):
        if t == 8:
            raise KeyboardInterrupt
        return {"return": np.ones(2)}

    network = StackedMLP([2, 2], 2)
    with Record(network, test, 4) as record:
        for _ in record.count(12, 2):
            pass
    result = record.result(worlds(2).episodes(), {"copies": 2})
    assert result.tests["step"].tolist() == [4, 4]
    assert "8 steps" in capsys.readouterr().out


def test_other_errors_pass_through():
    with pytest.raises(RuntimeError, match="^told$"), Record(StackedMLP([2, 2]), scored([]), 0):
        raise RuntimeError("told")


@pytest.mark.parametrize("updates", [0, 1, 99, 100, 101, 1234])
def test_losses_are_means_over_stretches(updates):
    """Copy 0's loss is the number of the update, copy 1's its square; a stretch ends with the step that stands beside it."""
    record = Record(StackedMLP([2, 2], 2), scored([]), 0)
    with record:
        for i, _ in enumerate(record.count(2 * updates, 2), start=1):
            record.note(loss=torch.tensor([float(i), float(i) ** 2], requires_grad=True))
    found = record.result(worlds(2).episodes(), {"copies": 2}).updates
    stretches = min(updates, STRETCHES)
    assert {name: len(column) for name, column in found.items()} == dict.fromkeys(found, 2 * stretches)
    if not updates:
        return
    ends = found["step"][::2] // 2
    begins = np.r_[0, ends[:-1]]
    assert found["copy"].tolist() == [0, 1] * stretches
    assert ends[-1] == updates
    assert set(ends - begins) <= {updates // stretches, updates // stretches + 1}
    for i, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        numbers = np.arange(begin + 1, end + 1)
        assert found["loss"][2 * i : 2 * i + 2] == pytest.approx([numbers.mean(), (numbers**2).mean()], rel=1e-5)
