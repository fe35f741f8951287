"""Values that are not there yet."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gpugrad.futures import Future, collect_all, wait_all


def test_a_value_is_waited_for_and_so_is_what_follows_from_it() -> None:
    first: Future[int] = Future()
    second: Future[int] = Future()
    both = collect_all([first, second])
    total = both.then(lambda found: sum(f.value() for f in found.value()))
    with pytest.raises(RuntimeError, match="not done"):
        first.value()
    first.set_result(1)
    assert not both.done()
    assert not total.done()
    timer = threading.Timer(0.01, second.set_result, (2,))
    timer.start()
    assert total.wait() == 3
    assert wait_all([first, second]) == [1, 2]
    assert both.done()
    timer.join()


def test_an_error_goes_to_all_who_wait() -> None:
    future: Future[int] = Future()
    called: list[Any] = []
    future.add_done_callback(called.append)
    later = future.then(lambda found: found.value() + 1)
    future.set_exception(KeyError("lost"))
    future.add_done_callback(called.append)
    assert called == [future, future]
    for each in future, later:
        with pytest.raises(KeyError, match="lost"):
            each.wait()
    with pytest.raises(RuntimeError, match="only be marked as completed once"):
        future.set_result(3)
