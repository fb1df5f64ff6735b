"""Can a function that takes bytes by their hash be trusted? It is tried on whole and on rotten ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from mlops_lab.exercises import Outcome, not_yet, right, told

__all__ = ["RIGHT", "WRONG", "judge_take", "sound"]

Cache = dict[str, bytes]
WHOLE, OTHER = b"crate,grade\nc1,juice\n", b"crate,grade\nc2,table\n"


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def judge_take(answer: object, seed: int) -> Outcome:
    """Judge `take(cache, name)`: whole bytes come back, rotten ones raise ValueError, the cache stays."""
    if not callable(answer):
        kind = type(answer).__name__
        return not_yet(f"Your answer is a {kind}: give the function itself, without brackets.")
    cases = {"whole": WHOLE, "whole, and no text": b"\xff\x00\xfe", "whole, and none at all": b""}
    for about, data in cases.items():
        found = _whole(answer, about, data)
        if found is not None:
            return found
    flipped, short = OTHER.replace(b"t", b"u", 1), OTHER[:-1]
    rotten = {"rotten": flipped, "cut off": short, "those of another name": WHOLE}
    for about, data in rotten.items():
        found = _rotten(answer, about, {_name(WHOLE): WHOLE, _name(OTHER): data})
        if found is not None:
            return found
    return right()


def _whole(take: Callable[..., object], about: str, data: bytes) -> Outcome | None:
    cache = {_name(data): data, _name(OTHER): OTHER}
    before = dict(cache)
    try:
        got = take(cache, _name(data))
    except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
        return not_yet(f"For bytes that are {about} your function stopped: {told(error)}.")
    if not isinstance(got, (bytes, bytearray, memoryview)):
        kind = "nothing" if got is None else f"a {type(got).__name__}"
        return not_yet(f"For bytes that are {about} your function returned {kind}, not the bytes.")
    if bytes(got) != data:
        return not_yet(
            f"For bytes that are {about} your function returned other bytes than it was asked for."
        )
    return None if cache == before else not_yet("Your function changed the cache: only read from it.")


def _rotten(take: Callable[..., object], about: str, cache: Cache) -> Outcome | None:
    try:
        got = take(cache, _name(OTHER))
    except ValueError:
        return None
    except Exception as error:  # noqa: BLE001  as above
        kind = type(error).__name__
        return not_yet(f"For bytes that are {about} your function stopped by {kind}: raise ValueError.")
    if got is None:
        return not_yet(
            f"For bytes that are {about} your function returned nothing and did not stop: raise an error."
        )
    if not isinstance(got, bytes):
        return not_yet(
            f"For bytes that are {about} your function returned a {type(got).__name__}: raise ValueError."
        )
    return not_yet(
        f"For bytes that are {about} your function returned bytes as if they were whole: "
        "make the name anew from them, and compare."
    )


def sound(cache: Cache, name: str) -> bytes:
    """Take bytes and check them: the solution in another form."""
    if _name(cache[name]) != name:
        raise ValueError("damaged")
    return cache[name]


def _by_get(cache: Cache, name: str) -> bytes:
    data = cache.get(name, b"")
    if hashlib.new("sha256", data).hexdigest() == name:
        return bytes(data)
    raise ValueError(name)


def _quiet(cache: Cache, name: str) -> bytes | None:
    return cache[name] if _name(cache[name]) == name else None


def _truth(cache: Cache, name: str) -> object:
    return cache[name] if _name(cache[name]) == name else False


def _other_error(cache: Cache, name: str) -> bytes:
    if _name(cache[name]) != name:
        raise KeyError(name)
    return cache[name]


def _other_way_round(cache: Cache, name: str) -> bytes:
    if _name(cache[name]) == name:
        raise ValueError("damaged")
    return cache[name]


def _known_somewhere(cache: Cache, name: str) -> bytes:
    if _name(cache[name]) not in cache:
        raise ValueError("damaged")
    return cache[name]


def _as_text(cache: Cache, name: str) -> bytes:
    return sound({name: cache[name].decode().encode()}, name)


def _refuses_empty(cache: Cache, name: str) -> bytes:
    if not cache[name]:
        raise ValueError("empty")
    return sound(cache, name)


def _takes_out(cache: Cache, name: str) -> bytes:
    return sound({name: cache.pop(name)}, name)


RIGHT = (sound, _by_get)
"""Functions that are right."""

WRONG: tuple[tuple[object, str], ...] = (
    (lambda cache, name: cache[name], "as if they were whole"),
    (_quiet, "returned nothing and did not stop"),
    (_truth, "returned a bool"),
    (_other_error, "by KeyError"),
    (_other_way_round, "bytes that are whole your function stopped"),
    (_known_somewhere, "those of another name"),
    (_as_text, "no text your function stopped"),
    (_refuses_empty, "none at all your function stopped"),
    (_takes_out, "changed the cache"),
    (lambda cache, name: name, "not the bytes"),
    (lambda cache, name: next(reversed(cache.values())), "other bytes"),
    ("take", "without brackets"),
)
"""Answers that are wrong, each with a part of what is said about it."""
