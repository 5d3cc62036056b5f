"""Loads what comes next while this is worked on."""

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

    Exceptions of `load` are raised here, at the key they belong to; `ahead` is
    how many items may be under way or waiting.
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
