"""From one event loop to another, and from threads to a loop: one wake-up for all that cross together.

asyncio wakes a loop for each result that another thread has for it, which is a system call and a change of threads.
"""

import asyncio
import contextlib
import contextvars
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Crossing:
    """The way into one event loop, for other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._calls: deque[Callable[[], object]] = deque()
        self._woken = False

    def hand(self, call: Callable[[], object]) -> None:
        """Have the loop make a call, which must not raise. Raises RuntimeError if the loop is closed."""
        loop = self._loop()
        if loop is None or loop.is_closed():  # it may have been woken, and closed before it looked
            raise RuntimeError("the event loop is closed")
        self._calls.append(call)
        if not self._woken:  # after the append: whoever resets it looks at the calls afterwards
            self._woken = True
            loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        self._woken = False
        while self._calls:
            self._calls.popleft()()

    def settle(self, future: asyncio.Future[T], value: T) -> None:
        """Give a future of the loop its result, unless nobody waits for it any more."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and so is whoever waited
            self.hand(lambda: None if future.done() else future.set_result(value))


_CROSSINGS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Crossing] = weakref.WeakKeyDictionary()


def crossing_to(loop: asyncio.AbstractEventLoop) -> Crossing:
    """The way into a loop. Called on the loop itself, or before others know it."""
    if loop not in _CROSSINGS:
        _CROSSINGS[loop] = Crossing(loop)
    return _CROSSINGS[loop]


async def on_loop(there: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` as a task of another loop, in a copy of this context, and wait for it; cancelled, so is the task.

    Raises what it raises, and RuntimeError if that loop is closed.
    """
    here = asyncio.get_running_loop()
    ended: asyncio.Future[asyncio.Task[T]] = here.create_future()
    back, context = crossing_to(here), contextvars.copy_context()
    tasks: list[asyncio.Task[T]] = []

    def start() -> None:
        task = context.run(there.create_task, work)
        task.add_done_callback(partial(back.settle, ended))
        tasks.append(task)

    def stop() -> None:
        tasks[0].cancel()

    try:
        crossing_to(there).hand(start)
    except RuntimeError:
        work.close()
        raise
    try:
        return (await ended).result()
    except asyncio.CancelledError:
        if ended.cancelled():  # it was cancelled here, not there
            crossing_to(there).hand(stop)
        raise
