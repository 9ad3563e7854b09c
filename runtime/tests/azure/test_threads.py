"""Sync handlers run in the threads that the worker lends, or in as many of our own; those that hang starve nobody."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest

from azure_functions_durable_graph.azure import threads
from azure_functions_durable_graph.azure.threads import Threads, in_thread, label_of, thread_count
from azure_functions_durable_graph.work.registry import Registry


class Context:
    """What a worker gives: an id, and the storage in which its logging handler looks for it."""

    def __init__(self, invocation_id: str = "one") -> None:
        self.invocation_id = invocation_id
        self.thread_local_storage = threading.local()


def run(work: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await work

    return asyncio.run(main())


class Hung:
    """A call that waits until it is told to end; leaving the block ends every one."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.release = threading.Event()

    def __call__(self) -> str:
        self.began.release()
        self.release.wait(60)
        return "late"


@pytest.fixture
def hung() -> Iterator[Hung]:
    code = Hung()
    yield code
    code.release.set()


async def give_up(pool: Threads, label: str, code: Hung) -> None:
    """Call it, and cancel as soon as its thread is at work, as a node's timeout does."""
    task = asyncio.create_task(pool.attempt(Context(), label, code))
    await asyncio.to_thread(code.began.acquire)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def no_pool_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_PROCESS", {})


def test_the_pool_has_as_many_threads_as_the_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "2")
    most, now, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def count() -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        both.wait(60)
        with lock:
            now -= 1
        both.wait(60)

    async def many() -> None:
        await asyncio.gather(*(in_thread(Context(), "a node", count) for _ in range(6)))

    asyncio.run(many())
    assert most == 2


@pytest.mark.parametrize(
    ("text", "count"),
    [(None, None), ("1", 1), ("64", 64), ("0", None), ("-1", None), ("many", None), ("", None), ("9" * 5000, None)],
)
def test_a_count_that_is_not_a_positive_number_is_ignored_as_the_worker_ignores_it(text: Any, count: Any) -> None:
    assert thread_count({} if text is None else {"PYTHON_THREADPOOL_THREAD_COUNT": text}) == count


def library(executor: Any) -> SimpleNamespace:
    """The worker library of Python 3.13 and newer, as far as it is asked for."""
    variable: ContextVar[Any] = ContextVar("invocation_id", default=None)
    return SimpleNamespace(get_threadpool_executor=lambda: executor, invocation_id_cv=variable)


def test_the_threads_that_the_worker_lends_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{executor}_0" for executor in ("first", "second")]
    seen = []
    for executor in ("first", "second"):  # a worker that is specialised starts another pool
        lent = ThreadPoolExecutor(1, thread_name_prefix=executor)
        monkeypatch.setitem(sys.modules, "azure_functions_runtime", library(lent))
        seen.append(run(in_thread(Context(), "a node", lambda: threading.current_thread().name)))

    assert seen == names


def test_a_worker_that_has_no_pool_yet_leaves_us_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure_functions_runtime", library(None))

    assert run(in_thread(Context(), "a node", lambda: threading.current_thread().name)) == "function_0"


def test_records_logged_in_a_thread_belong_to_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = library(None)
    monkeypatch.setitem(sys.modules, "azure_functions_runtime", worker)
    context = Context("mine")

    def ids() -> Any:
        return worker.invocation_id_cv.get(), context.thread_local_storage.invocation_id

    assert run(in_thread(context, "a node", ids)) == ("mine", "mine")
    assert worker.invocation_id_cv.get() is None


def test_a_thread_forgets_the_invocation_that_it_has_served() -> None:
    pool, context = Threads(count=1), Context()

    def stored() -> Any:
        return getattr(context.thread_local_storage, "invocation_id", None)

    async def both() -> Any:
        first = await pool.attempt(context, "a node", stored)
        return first.value, await asyncio.wrap_future(pool.executor.submit(stored))

    assert asyncio.run(both()) == ("one", None)


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(3), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_whatever_the_code_raises_is_a_value(error: BaseException) -> None:
    def fail() -> None:
        raise error

    assert run(Threads(count=1).attempt(Context(), "a node", fail)).error is error


def test_code_that_hangs_does_not_starve_what_comes_after(hung: Hung) -> None:
    pool = Threads(count=1)

    async def five() -> Any:
        for number in range(5):
            await give_up(pool, f"node {number}", hung)
        return await asyncio.wait_for(pool.attempt(Context(), "healthy", lambda: "well"), 30)

    assert asyncio.run(five()).value == "well"


def test_what_was_queued_behind_code_that_hangs_runs_as_well(hung: Hung) -> None:
    pool = Threads(count=1)

    async def behind() -> Any:
        queued: list[asyncio.Task[Any]] = []

        def queue() -> None:
            queued.append(asyncio.create_task(pool.attempt(Context(), "healthy", lambda: "well")))

        asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(queue))
        await give_up(pool, "node", hung)
        return await asyncio.wait_for(queued[0], 30)

    assert asyncio.run(behind()).value == "well"


def test_the_log_says_what_still_runs_and_since_when(hung: Hung, caplog: pytest.LogCaptureFixture) -> None:
    pool = Threads(count=1)

    asyncio.run(give_up(pool, "node 'pay'", hung))
    asyncio.run(give_up(pool, "node 'ship'", hung))

    last = caplog.records[-1].getMessage()
    assert last.startswith("node 'ship' timed out or was cancelled, but keeps its thread, which cannot be stopped")
    pay, ship = pool.still_running
    assert f"Still running: {pay}, {ship}" in last
    assert pay.startswith("node 'pay' (since ")


def test_a_call_that_ends_late_is_no_longer_listed_and_makes_room_for_another(hung: Hung) -> None:
    pool = Threads(count=1)
    asyncio.run(give_up(pool, "node", hung))
    hung.release.set()
    while pool.still_running:
        pass

    again = Hung()
    asyncio.run(give_up(pool, "node", again))

    assert pool.executor._max_workers == 2
    again.release.set()


def test_no_more_than_a_bounded_number_of_threads_is_added(
    hung: Hung, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "MOST_ADDED", 1)
    pool = Threads(count=1)

    for number in range(2):
        asyncio.run(give_up(pool, f"node {number}", hung))

    assert pool.executor._max_workers == 2
    assert "calls may have to wait" in caplog.records[-1].getMessage()


def test_code_that_has_not_begun_is_just_not_run(hung: Hung) -> None:
    pool = Threads(count=1)
    ran: list[int] = []

    async def cancel_queued() -> None:
        first = asyncio.create_task(pool.attempt(Context(), "first", hung))
        await asyncio.to_thread(hung.began.acquire)
        second = asyncio.create_task(pool.attempt(Context(), "second", lambda: ran.append(1)))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert pool.still_running == ()
        hung.release.set()
        await first

    asyncio.run(cancel_queued())
    assert ran == []


PAY = {"run_id": "7", "graph": "order", "hash": "h", "node": "pay", "step": 2}


@pytest.mark.parametrize(
    ("call", "label"),
    [
        (PAY, "node 'pay' (run_id=7 graph=order node=pay step=2 attempt=1)"),
        ({"plan": 5}, "node None (attempt=1)"),
        (None, "node None (attempt=1)"),
    ],
)
def test_a_call_is_named_by_its_node_and_run_and_naming_it_never_fails(call: Any, label: str) -> None:
    assert label_of(call, Registry()) == label
