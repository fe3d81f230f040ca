"""Running a learner's code where it can be stopped: in a thread of its own, with a time limit.

An endless loop is stopped by an exception that is raised in that thread only. (Raising it in the main thread, by an alarm,
would also hit whatever the notebook itself is doing.)
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
import threading
import time
from collections.abc import Callable
from typing import Any


class OutOfTime(Exception):
    """The work did not end within its limit.

    Attributes:
        frames: (file name, line number) where it was, innermost first.
        stopped: whether it could be stopped; else it still runs, and slows down whatever comes after it.
    """

    def __init__(self, frames: list[tuple[str, int]], stopped: bool):
        super().__init__("out of time")
        self.frames, self.stopped = frames, stopped


class _Stop(BaseException):
    """Raised in the worker; not an Exception, so that a learner's ``except Exception`` does not catch it."""


def run(work: Callable[[], Any], seconds: float, printed: io.StringIO | None = None) -> Any:
    """Return ``work()``, run in a thread whose printed text is caught.

    Args:
        work: what to run.
        seconds: its limit.
        printed: receives what it prints (default: nobody reads it).

    Raises:
        OutOfTime: it did not end in time. The thread is stopped, or, where it sits in compiled code, abandoned.
        Exception: whatever the work raised.
    """
    outcome: dict[str, Any] = {}

    def body() -> None:
        try:
            outcome["value"] = work()
        except _Stop:
            pass
        except BaseException as error:  # a learner may raise anything, SystemExit and KeyboardInterrupt included
            outcome["error"] = error

    thread = threading.Thread(target=body, daemon=True)
    printed = io.StringIO() if printed is None else printed
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            frames = _frames(thread)
            raise OutOfTime(frames, _stop(thread))
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _frames(thread: threading.Thread) -> list[tuple[str, int]]:
    frame, found = sys._current_frames().get(thread.ident or 0), []
    while frame is not None:
        found.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return found


def _stop(thread: threading.Thread) -> bool:
    """Raise _Stop in the thread, again and again, as a bare ``except`` may swallow the first; say whether it helped."""
    deadline = time.monotonic() + 0.5
    while thread.is_alive() and time.monotonic() < deadline:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stop))
        thread.join(0.02)
    return not thread.is_alive()
