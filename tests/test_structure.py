"""The house keeps its shape: layers, names, imports without side effects, documented names, clean text.

Each rule is a function over a folder, so that planted violations in a folder of their own prove it.
"""

import ast
import functools
import graphlib
import importlib
import inspect
import json
import os
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import mlops_lab

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mlops_lab"

LAYERS = (
    {"setup", "report", "plots", "artifacts", "worlds", "tables"},
    {"framing", "versioning", "reproducibility", "tracking", "monitoring", "serving", "load", "governance"},
    {"production", "reality", "lifecycle"},
    {"exercises"},
    {"lesson"},
    {"game"},
    {"course"},
    {"slides", "site", "teaching"},
    {"cli"},
    {"__main__"},
)
LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}
# A report draws itself in the house style: the one pair within a layer.
PAIRS = {("report", "plots")}

STANDARD_LIBRARY_ONLY = {"setup", "__main__"}
KNOWS_NOTEBOOKS = {
    "IPython",
    "ipywidgets",
    "nbformat",
    "nbclient",
    "nbval",
    "papermill",
    "jupyter_client",
    "jupyterlab",
}
INSIDE_FUNCTIONS = {
    "wandb",
    "tensorboard",
    "dvc",
    "papermill",
    "boto3",
    "fastapi",
    "numba",
    "IPython",
    "ipywidgets",
}
MAY_PRINT = {"cli.py", "__main__.py"}


def _none(found):
    """Fail with one line for each finding, none of them cut."""
    assert not found, "\n".join(["", *found])


def _modules(package):
    return sorted(path for path in package.rglob("*.py") if "__pycache__" not in path.parts)


def _part(package, path):
    return path.relative_to(package).parts[0].removesuffix(".py")


_parsed = functools.cache(ast.parse)
_nodes = functools.cache(lambda tree: tuple(ast.walk(tree)))


def _tree(path):
    return _parsed(path.read_text(encoding="utf-8"))


def _called(node):
    """Give the last part of the name of what a call calls."""
    return getattr(node.func, "attr", None) or getattr(node.func, "id", "")


def _imports(package, path, tree):
    """Give the full name of all that a module imports, wherever in it and by whatever statement."""
    folder = (package.name, *path.relative_to(package).parent.parts)
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = folder[: len(folder) - node.level + 1] if node.level else ()
            module = ".".join([*origin, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            yield from (given.value for given in node.args[:1] if isinstance(given, ast.Constant))


def layer_violations(package):
    found = []
    for path in _modules(package):
        part, where = _part(package, path), path.relative_to(package).as_posix()
        names = list(_imports(package, path, _tree(path)))
        if part == "__init__":
            found += [f"the map imports {name}" for name in names]
        elif part not in LAYER:
            found.append(f"{where}: {part} belongs to no layer; give it its place in LAYERS")
        else:
            found += [
                f"{where} {wrong}" for name in names if (wrong := _wrong_import(package.name, part, name))
            ]
    return found


def _wrong_import(package, part, name):
    first, *rest = name.split(".")
    if first == package:
        other = rest[0] if rest else part
        low_enough = other == part or (part, other) in PAIRS or LAYER.get(other, -1) < LAYER[part]
        return "" if low_enough else f"(layer {LAYER[part]}) imports {other} (layer {LAYER[other]})"
    if part in STANDARD_LIBRARY_ONLY and first not in sys.stdlib_module_names:
        return f"is to run where nothing is installed, and imports {first}"
    return (
        f"imports {first}: only lessons and what makes them know notebooks"
        if first in KNOWS_NOTEBOOKS and LAYER[part] < LAYER["lesson"]
        else ""
    )


def heavy_imports(package):
    found = []
    for path in _modules(package):
        for node in _tree(path).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {name.split(".")[0] for name in _imports(package, path, node)} & INSIDE_FUNCTIONS
                found += [
                    f"{path.relative_to(package).as_posix()}:{node.lineno} imports {name}" for name in names
                ]
    return found


def shape_violations(package):
    """Prints, modules without __all__."""
    found = []
    for path in _modules(package):
        where, tree = path.relative_to(package).as_posix(), _tree(path)
        for node in _nodes(tree):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "print"
                and where not in MAY_PRINT
            ):
                found.append(f"{where}:{node.lineno} prints: return the text, or send it to a stream")
        targets = [ast.unparse(t) for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
        targets += [ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)]
        if "__all__" not in targets and path.name != "__main__.py":
            found.append(f"{where} has no __all__")
    return found


# --- layers and shape, and the rules tried on planted violations -------------------------------------------


def test_layers_are_kept():
    _none(layer_violations(PACKAGE))


def test_heavy_and_optional_libraries_are_imported_inside_functions():
    _none(heavy_imports(PACKAGE))


def test_modules_are_silent_and_say_what_is_public():
    _none(shape_violations(PACKAGE))


PLANTED = {
    "a vocabulary that knows a topic": ("worlds/a.py", "from mlops_lab import load", layer_violations),
    "a topic that knows its sibling": ("framing/a.py", "from mlops_lab.load import fleet", layer_violations),
    "a topic that is one file": ("serving.py", "import mlops_lab.tracking", layer_violations),
    "for type checking only": (
        "load/a.py",
        "if TYPE_CHECKING:\n    from mlops_lab import framing",
        layer_violations,
    ),
    "inside a function": ("load/a.py", "def f():\n    from mlops_lab import reality", layer_violations),
    "relatively": ("load/a.py", "from .. import framing", layer_violations),
    "relatively, deeper": ("load/deep/a.py", "from ...framing import cases", layer_violations),
    "by its name": (
        "load/a.py",
        "import importlib\nimportlib.import_module('mlops_lab.framing')",
        layer_violations,
    ),
    "a sibling of layer 2": ("reality/a.py", "from mlops_lab import lifecycle", layer_violations),
    "a topic that knows lessons": (
        "production.py",
        "from mlops_lab.lesson import claim",
        layer_violations,
    ),
    "a lesson that knows its makers": ("lesson/a.py", "from mlops_lab import course", layer_violations),
    "a lesson that knows the game": ("lesson/a.py", "from mlops_lab import game", layer_violations),
    "a course that knows the commands": ("course/a.py", "from mlops_lab import cli", layer_violations),
    "vocabulary within its layer": ("plots/a.py", "from mlops_lab import report", layer_violations),
    "a part without a place": ("utils.py", "", layer_violations),
    "a map that imports": ("__init__.py", "from mlops_lab import worlds", layer_violations),
    "bootstrap with a package": ("setup/bootstrap.py", "def f():\n    import numpy", layer_violations),
    "a topic that knows notebooks": (
        "load/a.py",
        "def f():\n    from IPython.display import HTML",
        layer_violations,
    ),
    "a heavy import": ("tracking/a.py", "import wandb.sdk", heavy_imports),
    "a print": ("load/a.py", "__all__ = []\nprint('x')", shape_violations),
    "no __all__": ("load/a.py", "x = 1", shape_violations),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_violation_is_seen(tmp_path, what):
    where, source, rule = PLANTED[what]
    path = tmp_path / "mlops_lab" / where
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    assert len(rule(tmp_path / "mlops_lab")) == 1


ALLOWED = {
    "downwards": (
        "reality/a.py",
        "from mlops_lab import framing, worlds\nfrom mlops_lab.report import Finding",
    ),
    "within a topic": (
        "load/a.py",
        "from mlops_lab.load import fleet\nfrom . import machines\nfrom .machines import x",
    ),
    "a report that draws": ("report/a.py", "from mlops_lab import plots"),
    "the commands": ("cli.py", "import os.path\nfrom mlops_lab import course, setup"),
    "a lesson": ("lesson/a.py", "import nbformat\nfrom mlops_lab import exercises, lifecycle, setup"),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_is_allowed_is_left_alone(tmp_path, what):
    where, source = ALLOWED[what]
    path = tmp_path / "mlops_lab" / where
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    assert layer_violations(tmp_path / "mlops_lab") == []


# --- no cycles, and nothing public without a user -----------------------------------------------------------


def _graph(package):
    """Give every module with the modules of ours that it imports, wherever in it: also inside functions."""
    paths = {_module(package, path): path for path in _modules(package)}
    graph = {}
    for name, path in paths.items():
        wanted = {
            known if known in paths else known.rpartition(".")[0]
            for known in _imports(package, path, _tree(path))
        }
        graph[name] = wanted & set(paths) - {name, package.name}
    return graph


def _module(package, path):
    return ".".join([package.name, *path.relative_to(package).with_suffix("").parts]).removesuffix(
        ".__init__"
    )


def test_no_module_imports_itself_by_a_detour():
    try:
        graphlib.TopologicalSorter(_graph(PACKAGE)).prepare()
    except graphlib.CycleError as found:
        pytest.fail(" -> ".join(found.args[1]))


def test_a_planted_cycle_is_seen(tmp_path):
    package = tmp_path / "mlops_lab"
    (package / "load").mkdir(parents=True)
    (package / "load" / "a.py").write_text("def f():\n    from mlops_lab.load import b\n")
    (package / "load" / "b.py").write_text(
        "if TYPE_CHECKING:\n    from mlops_lab.load.c import x\nimport mlops_lab.load.d\n"
    )
    (package / "load" / "c.py").write_text("from .a import f\n")
    (package / "load" / "d.py").write_text("")
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(_graph(package)).prepare()
    (package / "load" / "c.py").write_text("from .d import f\n")
    graphlib.TopologicalSorter(_graph(package)).prepare()


# What stands in an `__all__` although nobody uses it, and why.
NO_USER = {
    "mlops_lab.monitoring.class_prior_by_confusion": "lesson 08 will correct a judge by it",
    "mlops_lab.artifacts.model_hash": "lesson 10's registry will name models by it",
    "mlops_lab.artifacts.UntrustedModelError": "whoever opens a stranger's file may want to catch it",
    "mlops_lab.tracking.read_all": "an error message sends the reader there",
    "mlops_lab.tracking.replay": "the W&B sink's documentation sends the reader there",
}


def _used(source, package="mlops_lab"):
    """Give the full names of ours that a source imports or reaches through an imported module."""
    tree = _parsed(source)
    bound, found = {}, set()
    for node in _nodes(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                bound[alias.asname or alias.name] = full
                found.add(full)
    for node in _nodes(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
            found.add(f"{bound[node.value.id]}.{node.attr}")
    return found


def _code(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _users(root):
    """Give what each file uses of ours: rooms, lessons, deck, commands, benchmarks; no tests."""
    for path in [*_modules(root / "mlops_lab"), *sorted((root / "benchmarks").glob("*.py"))]:
        yield path, _used(path.read_text(encoding="utf-8"))
    for path in sorted((root / "notebooks" / "solutions").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")  # prose that invites to call `load.Knative()` counts as well
        yield path, _used(_code(path)) | {f"mlops_lab.{name}" for name in re.findall(r"\b[a-z_]+\.\w+", text)}
    for path in sorted((root / "slides").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        yield path, {name.replace(":", ".") for name in re.findall(r"mlops_lab[\w.]*:\w+", text)}


def unused(root):
    """Name what stands in an `__all__` without a user: of a room outside it, of a module outside that."""
    package, users = root / "mlops_lab", list(_users(root))
    entry = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    commands = {each.replace(":", ".") for each in entry.values()}
    for path in _modules(package):
        module = _module(package, path)
        is_room = path.name == "__init__.py"
        own = path.parent if is_room else path
        taken = {
            name
            for user, names in users
            if user != path and not (is_room and user.is_relative_to(own))
            for name in names
        }
        for node in _tree(path).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                for name in set(ast.literal_eval(node.value)) - {
                    "EXERCISES"
                }:  # found by its name, at run time
                    # a room's name may be taken from the room, or from the module in which it stands
                    ways = _ways(taken, module, name) if is_room else {f"{module}.{name}"}
                    if not ways & (taken | commands):
                        yield f"{module}.{name}"


def _ways(taken, room, name):
    return {full for full in taken if full.startswith(f"{room}.") and full.rpartition(".")[2] == name}


def test_whatever_is_public_has_a_user():
    found = set(unused(ROOT))
    _none(sorted(found - set(NO_USER)))
    assert set(NO_USER) <= found, "these have a user now: strike them from the list"


def test_a_planted_name_without_a_user_is_seen(tmp_path):
    room = tmp_path / "mlops_lab" / "load"
    other = tmp_path / "mlops_lab" / "reality"
    for folder in (room, other, tmp_path / "benchmarks", tmp_path / "notebooks" / "solutions"):
        folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[project.scripts]\nx = 'mlops_lab.load.queue:main'\n")
    (room / "__init__.py").write_text(
        "from mlops_lab.load.queue import Queue, serve\n__all__ = ['Queue', 'serve']\n"
    )
    (room / "queue.py").write_text("__all__ = ['Queue', 'serve', 'main', 'own']\n")
    (other / "a.py").write_text("from mlops_lab import load\n__all__ = []\nx = load.serve()\n")
    assert set(unused(tmp_path)) == {"mlops_lab.load.Queue", "mlops_lab.load.queue.own"}
    cells = [{"cell_type": "code", "source": ["from mlops_lab.load.queue import Queue"]}]
    (tmp_path / "notebooks" / "solutions" / "a.ipynb").write_text(json.dumps({"cells": cells}))
    assert set(unused(tmp_path)) == {"mlops_lab.load.queue.own"}


# --- names ------------------------------------------------------------------------------------------------


def _name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = [_name(path) for path in _modules(PACKAGE) if path.name != "__main__.py"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_all_resolves_and_stands_there_once(name):
    module = importlib.import_module(name)
    assert [public for public in module.__all__ if not hasattr(module, public)] == []
    assert len(set(module.__all__)) == len(module.__all__)


def test_the_map_names_every_part_once():
    parts = {_part(PACKAGE, path) for path in _modules(PACKAGE)} - {"__init__", "__main__"}
    named = re.findall(r"^    ([a-z_]+)  +\S", mlops_lab.__doc__, re.MULTILINE)
    assert sorted(named) == sorted(parts)


# --- imports without side effects --------------------------------------------------------------------------


def test_importing_the_package_takes_less_than_50_ms():
    def seconds(code):
        code += "; import time; print(time.process_time())"  # of the processor: a busy machine adds none
        command = [sys.executable, "-c", code]
        return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    bare, with_it = zip(*((seconds("pass"), seconds("import mlops_lab")) for _ in range(5)), strict=True)
    assert min(with_it) - min(bare) < 0.050, statistics.median(with_it)


# Runs in a fresh interpreter, argument 1: what others' libraries are imported first (what they do is theirs);
# the rest: our modules. Writes what each of ours has changed.
_WATCH = """
import importlib, json, logging, os, random, signal, socket, sys, threading, warnings
theirs, ours, out = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
for name in theirs:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
import matplotlib, numpy, pandas
sys.dont_write_bytecode = True
acts = []
WATCHED = {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.remove", "os.mkdir"}
def hook(event, arguments):
    if event in WATCHED or (event == "open" and set(str(arguments[1])) & set("wax+")):
        acts.append(f"{event} {arguments[0]!r}")
sys.addaudithook(hook)
def state():
    return {
        "os.environ": dict(os.environ),
        "matplotlib.rcParams": {key: str(value) for key, value in matplotlib.rcParams.items()},
        "random": hash(random.getstate()),
        "numpy.random": hash(numpy.random.get_state()[1].tobytes()),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "working directory": os.getcwd(),
        "sys.path": list(sys.path),
        "warnings.filters": str(warnings.filters),
        "logging": [logging.root.level, len(logging.root.handlers)],
        "numpy.errstate": numpy.geterr(),
        "pandas options": str(pandas.describe_option(_print_desc=False)),
        "signals": str([signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]),
        "sys.excepthook": str(sys.excepthook),
        "acts": list(acts),
    }
found = {}
before = state()
for name in ours:
    try:
        importlib.import_module(name)
    except Exception as failure:
        found[name] = [f"cannot be imported: {failure!r}"]
    after = state()
    changed = [key for key in after if after[key] != before[key]]
    if changed:
        found.setdefault(name, []).extend(changed + acts)
    acts.clear()
    before = {**after, "acts": []}
json.dump(found, open(out, "w"))
"""


def _side_effects(folder, names, theirs, tmp_path):
    out = tmp_path / "found.json"
    command = [sys.executable, "-c", _WATCH, json.dumps(theirs), json.dumps(names), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(out.read_text(encoding="utf-8"))
    said = ran.stdout + ran.stderr
    return {**found, "printed": said} if said else found


def _foreign(package):
    """Give the libraries of others, and their modules, that ours import when they are imported."""
    names = set()
    for path in _modules(package):
        for node in _tree(path).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                full = set(_imports(package, path, node))  # of "from a import b", b may be a module or a name
                names |= full | {name.rpartition(".")[0] or name for name in full}
    return sorted(name for name in names if name.split(".")[0] not in {package.name, "__future__"})


@pytest.mark.slow
def test_importing_any_module_of_ours_changes_nothing(tmp_path):
    assert _side_effects(ROOT, NAMES, _foreign(PACKAGE), tmp_path) == {}


EFFECTS = {
    "os.environ": "import os; os.environ['X_PLANTED'] = '1'",
    "matplotlib.rcParams": "import matplotlib; matplotlib.rcParams['lines.linewidth'] = 7",
    "numpy.random": "import numpy; numpy.random.seed(0)",
    "random": "import random; random.random()",
    "threads": "import threading as t; x = t.Timer(60, print); x.daemon = True; x.start()",
    "acts": "import socket; socket.socket().bind(('127.0.0.1', 0))",
    "warnings.filters": "import warnings; warnings.simplefilter('ignore', FutureWarning)",
    "pandas options": "import pandas; pandas.set_option('display.width', 33)",
    "printed": "print('hello')",
}


@pytest.mark.slow
def test_planted_side_effects_are_seen(tmp_path):
    for number, source in enumerate(EFFECTS.values()):
        (tmp_path / f"planted{number}.py").write_text(source, encoding="utf-8")
    found = _side_effects(tmp_path, [f"planted{number}" for number in range(len(EFFECTS))], [], tmp_path)
    for number, effect in enumerate(EFFECTS):
        assert effect in found if effect == "printed" else effect in found[f"planted{number}"], effect


# --- documentation ----------------------------------------------------------------------------------------


def _sections(doc):
    return set(re.findall(r"^([A-Z][A-Za-z ]+)\n-{3,}$", doc, re.MULTILINE))


def _runs(doc):
    return ">>>" in doc and "+SKIP" not in doc


def undocumented(name, thing, *, full):
    """Name what is missing in the documentation of a function or class, and of its public methods.

    Whatever stands in an ``__all__``, and each public method of it, says what it is. What users see
    (``full``: its room re-exports it) also explains its parameters or attributes and shows an example that
    runs; a method needs none. An exception says when it is raised, a protocol how it is fulfilled.
    """
    is_class = inspect.isclass(thing)
    if not is_class and not inspect.isfunction(inspect.unwrap(thing) if callable(thing) else None):
        return []
    doc = inspect.getdoc(thing) if not is_class or vars(thing).get("__doc__") else ""
    if not doc or (is_class and issubclass(thing, BaseException)):
        return [] if doc else [f"{name}: says nothing"]
    gaps = [] if not full or _runs(doc) else [f"{name}: no example that runs"]
    plain = is_class and (getattr(thing, "_is_protocol", False) or thing.__init__ is object.__init__)
    takes = set() if plain else {*inspect.signature(thing).parameters} - {"self", "cls"}
    if full and takes and not _sections(doc) & {"Parameters", "Attributes"}:
        gaps.append(f"{name}: no Parameters")
    for method, held in vars(thing).items() if is_class else ():
        is_method = inspect.isfunction(held) or isinstance(held, property | classmethod | staticmethod)
        if is_method and not method.startswith("_") and not inspect.getdoc(getattr(thing, method)):
            gaps.append(f"{name}.{method}: says nothing")
    return gaps


@functools.cache
def planned():
    """Name the lessons that the course table says are planned."""
    rows = re.findall(
        r"^\| (\d\d) \| ([^|]+) \|.*\| planned \|$", (ROOT / "README.md").read_text("utf-8"), re.M
    )
    return {f"{number}_{title.strip().lower().replace(' ', '_')}" for number, title in rows}


def untaught(name, thing):
    """Name a public function of a topic whose last line does not name a lesson that is there or planned."""
    if not inspect.isfunction(thing):
        return []
    last = (inspect.getdoc(thing) or " ").splitlines()[-1]
    lesson = re.fullmatch(r"Taught in notebooks/(\d\d_[a-z0-9_]+)\.ipynb\.", last)
    there = lesson and (
        (ROOT / "notebooks" / "solutions" / f"{lesson[1]}.ipynb").exists() or lesson[1] in planned()
    )
    return [] if there else [f"{name}: its last line names no notebook that is there: {last!r}"]


def _part_of(name):
    return name.split(".")[1] if "." in name else ""


PUBLIC = [name for name in NAMES if _part_of(name) not in {"", "setup", "cli"}]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_says_what_it_is(name):
    module, part = importlib.import_module(name), importlib.import_module(f"mlops_lab.{_part_of(name)}")
    gaps = []
    for public in module.__all__:
        thing = getattr(module, public)
        if getattr(thing, "__module__", None) == name:  # where it is defined, not where it is passed on
            full = (
                getattr(part, public, None) is thing
                and public in part.__all__
                and _part_of(name) != "exercises"
            )
            gaps += undocumented(public, thing, full=full)
            gaps += untaught(public, thing) if full and LAYER[_part_of(name)] in {1, 2} else []
    _none(gaps)


def _planted():
    # Inside a function, so that their examples are not collected.
    def silent(a): ...

    def half(a) -> int:
        """Say.

        Examples
        --------
        >>> 1
        1
        """

    def skipped() -> None:
        """Say.

        Examples
        --------
        >>> 1  # doctest: +SKIP
        1

        Taught in notebooks/99_nowhere.ipynb.
        """

    class Bare:
        """Say."""

        def work(self, x) -> int:
            return x

    class Shown:
        """Say.

        Examples
        --------
        >>> Shown().work(1)
        """

        def __init__(self, x=1): ...

        def work(self, x) -> int:
            """Say."""

    def whole(a) -> int:
        """Say.

        Parameters
        ----------
        a
            What.

        Returns
        -------
        int
            What.

        Examples
        --------
        >>> 1
        1
        """

    return silent, half, skipped, Bare, Shown, whole


def test_planted_gaps_in_the_documentation_are_seen():
    silent, half, skipped, bare, shown, whole = _planted()
    assert undocumented("silent", silent, full=False) == ["silent: says nothing"]
    assert undocumented("half", half, full=True) == ["half: no Parameters"]
    assert undocumented("half", half, full=False) == []
    assert undocumented("skipped", skipped, full=True) == ["skipped: no example that runs"]
    assert undocumented("Bare", bare, full=True) == ["Bare: no example that runs", "Bare.work: says nothing"]
    assert undocumented("Bare", bare, full=False) == ["Bare.work: says nothing"]
    assert undocumented("Shown", shown, full=True) == ["Shown: no Parameters"]
    assert undocumented("whole", whole, full=True) == []
    assert untaught("skipped", skipped)
    assert untaught("whole", whole)


# --- text -------------------------------------------------------------------------------------------------

# Written backwards, so that this file does not hold them.
WORDS = [
    *(re.compile(rf"\b{word[::-1]}\b") for word in ("ODOT", "EMXIF", "rorrEdetnemelpmItoN")),
    re.compile(rf"\b{'X' * 3}\b"),
    *(re.compile(word[::-1], re.IGNORECASE) for word in ("tnegabus", "tnega-bus", "eton gnisolc")),
]


def _project_files():
    """Give all files that belong to the project: what git tracks, or would if asked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this copy of the project is no git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def _where(path):
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def text_violations(path):
    """Name what is wrong with a file's text; a picture or an archive has none."""
    content = path.read_bytes()
    if b"\0" in content[:8000]:
        return []
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as broken:
        return [f"{_where(path)} is not UTF-8: {broken}"]
    found = [f"{_where(path)} begins with a byte order mark"] if text.startswith("\ufeff") else []
    found += [f"{_where(path)} has line ends other than LF"] if "\r" in text else []
    if path.suffix == ".ipynb":  # letters of an embedded picture form any word
        text = re.sub(r'"image/png": "[^"]*"', "", text)
    for word in WORDS:
        found += [
            f"{_where(path)}:{text[: hit.start()].count(chr(10)) + 1} says {hit[0]!r}"
            for hit in re.finditer(word, text)
        ]
    if path.suffix == ".lock" or path.name.endswith("uv.txt"):
        addresses = re.findall(r"\w+://|--(?:extra-)?index-url|--find-links|--trusted-host| @ ", text)
        found += [f"{_where(path)} holds an address: {address!r}" for address in addresses]
    return found


def test_project_text_is_clean():
    _none([found for path in _project_files() for found in text_violations(path)])


UNCLEAN = {
    "a.py": [b"x = 1  # " + b"ODOT"[::-1], b"x = 1\r\n", b"\xef\xbb\xbfx = 1\n"],
    "a.md": [b"by a " + b"tnegabuS"[::-1], b"gr\xfcn\n"],
    "a.ipynb": [b'{"source": "raise ' + b"rorrEdetnemelpmItoN"[::-1] + b'"}'],
    "a.lock": [b"a @ file\n", b"--index-url x\n", b"ftp://x\n"],
}


@pytest.mark.parametrize("name", UNCLEAN)
def test_planted_text_is_seen(tmp_path, name):
    for content in UNCLEAN[name]:
        (tmp_path / name).write_bytes(content)
        assert len(text_violations(tmp_path / name)) == 1


def test_pictures_and_clean_text_are_left_alone(tmp_path):
    for name, content in (
        ("a.png", b"\x89PNG\0\r\n\xff"),
        ("a.md", "grün\n".encode()),
        ("a.lock", b"a==1 --hash=sha256:0\n"),
    ):
        (tmp_path / name).write_bytes(content)
        assert text_violations(tmp_path / name) == []
