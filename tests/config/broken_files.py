"""Ways to break a file, for the property test of the loader: as text, as bytes, as a structure, as YAML tricks."""

import copy
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import strategies as st

TRICKS = (
    "&a [*a]",
    "&a {b: *a}",
    "{<<: &a {b: 1}, <<: *a}",
    "{<<: 1}",
    "[*nowhere]",
    "!!python/object/apply:os.system [echo]",
    "!mine {a: 1}",
    "!!set {a, b}",
    "!!binary 'not base64!'",
    "!!int ''",
    "!!int x",
    "!!float y",
    "!!bool maybe",
    "!!timestamp never",
    "!!null x",
    "2026-02-30",
    "2026-11-21",
    ".nan",
    "-.inf",
    "1e999",
    "0x" + "f" * 6000,
    "9" * 6000,
    "-" + "9" * 6000,
    "190:20:30",
    "=",
    "<<",
    "? [a, b]\n: c",
    "? {a: b}\n: c",
    '"\\ud800"',
    '"\\u0000"',
    "'unclosed",
    "\t",
    "%TAG ! x",
    "---\n---\n",
    "...",
    "@a",
    "`a`",
    "[" * 3000,
    "{a: " * 3000,
    "- " * 3000,
    "&" + "a" * 2000 + " x",
    "|\n  text",
    ">-\n  text",
    "yes",
    "~",
    "\ufeff",
    "\u2028",
    "\x85",
    "\x07",
)
LAUGHS = "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n" + "".join(
    f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGED_LAUGHS = "m0: &m0 {a: 1}\n" + "".join(
    f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}]}}\n" for n in range(1, 12)
)

CHAIN = "c0: &c0 [a]\n" + "".join(f"c{n}: &c{n} [*c{n - 1}]\n" for n in range(1, 200))

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.binary(max_size=20),
    st.dates(min_value=dt.date(1, 1, 1)),
    st.datetimes(),
    st.sampled_from(
        ["", "*", "eu-west-1", "222222222222", "10.0.0.0/16", "\ud83d", "a\x00b", "ds-admin", "٢٢٢٢٢٢٢٢٢٢٢٢"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.text(max_size=12), st.integers()), inner, max_size=4)
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a structure."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@st.composite
def broken_structures(draw: st.DrawFn, whole: Any) -> str:
    """A right structure with one to three things replaced, removed, renamed or added."""
    broken = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([each for each in places(broken) if each] or [()]))
        if not path:
            break
        parent = broken
        for part in path[:-1]:
            parent = parent[part]
        match draw(st.sampled_from(["replace", "remove", "rename", "add"])):
            case "replace":
                parent[path[-1]] = draw(values)
            case "remove":
                del parent[path[-1]]
            case "rename" if isinstance(parent, dict):
                parent[draw(st.text(max_size=12))] = parent.pop(path[-1])
            case _ if isinstance(parent, dict):
                parent[draw(st.text(max_size=12))] = draw(values)
            case _:
                parent.append(draw(values))
    return written(draw, broken)


def written(draw: st.DrawFn, broken: Any) -> str:
    """The text of a structure: JSON for a list, which only accounts.json is, else YAML."""
    if isinstance(broken, list):
        return json.dumps(broken, default=str, indent=draw(st.sampled_from([None, 1, "\t"])))
    return yaml.dump(broken, allow_unicode=draw(st.booleans()), default_flow_style=draw(st.sampled_from([None, True])))


@st.composite
def broken_texts(draw: st.DrawFn, text: str) -> str:
    """A right text with pieces cut out, doubled, or put in."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.just(""), st.just(text[start:end] * 2), st.text(max_size=8), st.sampled_from(TRICKS)))
        text = text[:start] + piece + text[end:]
    return text


@st.composite
def tricked_texts(draw: st.DrawFn, text: str) -> str:
    """A right text where a value, or a line, is a trick of YAML."""
    lines = text.splitlines()
    index = draw(st.integers(0, len(lines) - 1))
    key, colon, _ = lines[index].partition(":")
    trick = draw(st.sampled_from(TRICKS))
    lines[index] = f"{key}{colon} {trick}" if colon and draw(st.booleans()) else trick
    return "\n".join(lines)


def broken_files(text: str) -> st.SearchStrategy[bytes]:
    """Return what is broken of a right file, as bytes."""
    texts = st.one_of(
        broken_structures(yaml.safe_load(text)),
        broken_texts(text),
        tricked_texts(text),
        values.map(lambda value: yaml.dump(value, allow_unicode=True)),
        st.sampled_from([LAUGHS, MERGED_LAUGHS, CHAIN, text + LAUGHS, "", "\n", "null", *TRICKS]),
    )
    encoded = texts.map(lambda each: each.encode("utf-8", "surrogatepass"))
    return st.one_of(
        encoded,
        encoded,
        encoded,
        st.binary(max_size=200),
        st.tuples(st.binary(max_size=3), st.integers(0, len(text))).map(
            lambda cut: text.encode()[: cut[1]] + cut[0] + text.encode()[cut[1] :]
        ),
        st.sampled_from(["utf-16", "utf-32", "latin-1"]).map(f"{text}# \u00e9".encode),
    )
