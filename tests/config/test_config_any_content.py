"""Whatever a configuration holds: it is a study, or one message says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.errors import InputError
from damage import examples, reads_or_names

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["../x", "a/b", "{subject}", "subj01", "$(x)", "IC", "all", "auto"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(config: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key of a configuration and every place in its lists."""
    if isinstance(config, dict | list):
        for key in config if isinstance(config, dict) else range(len(config)):
            yield (*above, key)
            yield from places(config[key], (*above, key))


@examples(200)
@given(data=st.data())
def test_any_value_at_any_place(demo_config, data):
    config = deepcopy(demo_config)
    for _ in range(data.draw(st.integers(1, 2))):
        *above, last = data.draw(st.sampled_from(list(places(config))))
        inner = config
        for key in above:
            inner = inner[key]
        inner[last] = data.draw(VALUES)
    try:
        load_study(config)
    except InputError as error:
        assert "config/README.md" in str(error)


@examples(40)
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text("{}[]:-#&*!|>'\"%@,\n\t ab1", max_size=40).map(str.encode)
)
def test_any_file(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    reads_or_names(lambda path: read_config([path]), path)
