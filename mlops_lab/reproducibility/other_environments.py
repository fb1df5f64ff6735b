"""The same function in another environment: other kernels, other threads, other hash seeds.

Numerical libraries and Python itself read their settings once, while they start. So another setting needs
another process.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["elsewhere", "kernels", "old_processor"]

# Runs in the child: reads the call, writes what came out. It shows nothing, so that nothing is mixed up.
_CHILD = """
import importlib, json, pickle, sys
with open(sys.argv[1] + "/paths", encoding="utf-8") as file:
    sys.path[:0] = [path for path in json.load(file) if path not in sys.path]
with open(sys.argv[1] + "/call", "rb") as file:
    module, name, given, named = pickle.load(file)
function = importlib.import_module(module)
for part in name.split("."):
    function = getattr(function, part)
try:
    answer = (True, function(*given, **named))
except Exception as error:
    answer = (False, f"{type(error).__name__}: {error}")
with open(sys.argv[1] + "/answer", "wb") as file:
    pickle.dump(answer, file)
"""


def elsewhere(
    function: Callable[..., Any] | str,
    environment: Mapping[str, str | None],
    *given: Any,
    timeout_s: float = 120.0,
    **named: Any,
) -> Any:
    """Call a function in a fresh Python process that has other environment variables.

    It answers what the same code does under settings that are read at the start: the processor's kernels, the
    number of threads, the seed of Python's hashes. It cannot give another processor: it can only choose among
    the kernels that this one can run. It misleads where a variable is misspelt or means nothing to the
    library in use, since then nothing changes: ask `kernels` too.

    Parameters
    ----------
    function
        A function that can be imported, or its place as ``"module:name"``. A function of a notebook, a
        lambda, or one inside another function has no such place.
    environment
        The variables to set on top of those that are set here; None takes one away.
    given, named
        What the function is called with. They travel by pickle, and so does the result.
    timeout_s
        Seconds after which the process is ended.

    Raises
    ------
    ValueError
        If the function cannot be imported elsewhere, or an argument or its result cannot travel.
    RuntimeError
        If the function failed there, with its own words, or the process was ended by the system: a kernel for
        another processor does that.
    TimeoutError
        If it took too long.

    Examples
    --------
    >>> import os
    >>> elsewhere(os.getenv, {"ORCHARD": "hill"}, "ORCHARD")
    'hill'

    Taught in notebooks/05_reproducibility.ipynb.
    """
    module, name = _place(function)
    with tempfile.TemporaryDirectory(prefix="mlops-lab-", ignore_cleanup_errors=True) as folder:
        try:
            (Path(folder) / "call").write_bytes(pickle.dumps((module, name, given, named)))
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise ValueError(f"an argument of {name} cannot travel to another process: {error}") from error
        paths = [*filter(None, sys.path), str(Path.cwd())]
        (Path(folder) / "paths").write_text(json.dumps(paths), encoding="utf-8")
        try:
            ended = subprocess.run(
                [sys.executable, "-c", _CHILD, folder],
                env=_variables(environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(
                f"{name} did not end within {timeout_s:g} s; give it a larger timeout_s"
            ) from error
        answer = Path(folder) / "answer"
        if ended.returncode != 0 or not answer.is_file():
            raise RuntimeError(f"{name} was not done with {dict(environment)}: {_ending(ended)}")
        worked, value = pickle.loads(answer.read_bytes())  # written by our own child
    if not worked:
        raise RuntimeError(f"{name} failed with {dict(environment)}: {value}")
    return value


def _place(function: Callable[..., Any] | str) -> tuple[str, str]:
    """Find module and name of a function, and make sure that a fresh process finds it too."""
    if isinstance(function, str):
        module, colon, name = function.partition(":")
        if not (module and colon and name):
            raise ValueError(f"{function!r} names no function: write 'module:name'")
    else:
        module = getattr(function, "__module__", None) or ""
        name = getattr(function, "__qualname__", "")
    if module in ("", "__main__") or "<" in name:
        raise ValueError(
            f"{name or function!r} lives in this process alone: put the function into a module and import it"
        )
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"no function {name!r} can be imported from {module!r}: {error}") from error
    if not callable(found):
        raise ValueError(f"{name!r} in {module!r} is a {type(found).__name__}, not a function")
    return module, name


def _variables(environment: Mapping[str, str | None]) -> dict[str, str]:
    variables = dict(os.environ)
    for name, value in environment.items():
        if value is None:
            variables.pop(name, None)
        elif isinstance(value, str):
            variables[name] = value
        else:
            raise ValueError(f"{name}={value!r}: variables are texts, or None to take one away")
    return variables


def _ending(ended: subprocess.CompletedProcess[bytes]) -> str:
    """Say in words how a process ended."""
    if ended.returncode < 0:
        number = -ended.returncode
        known = {each.value: each.name for each in signal.Signals}
        name = known.get(number, "unknown")
        why = "this processor lacks an instruction of the chosen kernel" if name == "SIGILL" else name
        return f"the system ended the process (signal {number}): {why}"
    said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else f"the process ended with code {ended.returncode}"


def kernels() -> dict[str, str]:
    """Name what NumPy computes with in this process: library, kernel, threads, version.

    It answers whether another environment really changed something. It knows OpenBLAS, MKL and BLIS; of
    Apple's Accelerate it can tell nothing.

    Returns
    -------
    dict
        ``library``, ``kernel`` (for which processor family it is written), ``threads``, ``version`` and
        ``numpy``; "unknown" where the library does not tell.

    Examples
    --------
    >>> sorted(kernels())
    ['kernel', 'library', 'numpy', 'threads', 'version']

    Taught in notebooks/05_reproducibility.ipynb.
    """
    import numpy as np

    try:
        looked: Any = importlib.import_module("threadpoolctl")
        held = [each for each in looked.threadpool_info() if each["user_api"] == "blas"]
    except ImportError:
        held = []
    ours = [each for each in held if "numpy" in str(each.get("filepath", ""))] or held
    found = ours[0] if ours else {}
    tell = {
        "library": "internal_api",
        "kernel": "architecture",
        "threads": "num_threads",
        "version": "version",
    }
    told = {name: str(found.get(key) or "unknown") for name, key in tell.items()}
    return {**told, "numpy": np.__version__}


def old_processor() -> dict[str, str]:
    """Give an environment in which this machine computes as a processor of the year 2008 would.

    It answers what other hardware does to a result, without other hardware: OpenBLAS and NumPy hold code for
    several generations of processors and choose at the start. It cannot play a graphics card, nor a processor
    of another family, and it does nothing where NumPy was built with another library.

    Returns
    -------
    dict
        The variables, for `elsewhere`; empty where no older kernels are known, as on ARM processors.

    Examples
    --------
    >>> set(old_processor()) <= {"OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES"}
    True

    Taught in notebooks/05_reproducibility.ipynb.
    """
    import numpy as np

    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return {}
    shown: Any = np.show_config(mode="dicts")
    newer = shown.get("SIMD Extensions", {}).get("found", []) if isinstance(shown, dict) else []
    wanted = {"OPENBLAS_CORETYPE": "Nehalem"}
    return {**wanted, "NPY_DISABLE_CPU_FEATURES": " ".join(newer)} if newer else wanted
