"""Computes the next items while the present one is worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Item = TypeVar("Item")


def prefetch(
    load: Callable[[Key], Item], keys: Iterable[Key], ahead: int = 2
) -> Generator[tuple[Key, Item], None, None]:
    """Yield ``(key, load(key))`` in order, loading in one background thread.

    Parameters
    ----------
    load : callable
        Runs in the background thread only; its exceptions are raised here, at
        the key they belong to.
    keys : iterable
        What to load.
    ahead : int
        How many items may be under way or waiting.
    """
    waiting: deque[tuple[Key, Future[Item]]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as pool:
        try:
            for key in keys:
                waiting.append((key, pool.submit(load, key)))
                if len(waiting) > ahead:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
