"""What is said about the course must agree: pyproject, locks, conda, Binder, dev container, CI."""

from __future__ import annotations

import ast
import functools
import itertools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from mlops_lab.course import suite

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements.lock", "requirements-test.lock")
CARD = {"jupyterlab", "nbval", "matplotlib", "scikit-learn", "pandas", "wandb", "tensorboard", "papermill"}
# the kernel that every lesson runs in, started by its name; a bound on what pandas brings
NOT_IMPORTED = {"ipykernel", "python-dateutil"}
CONDA_NAME = {"matplotlib": "matplotlib-base"}  # where conda-forge calls a package otherwise

posix = pytest.mark.skipif(os.name != "posix", reason="a bash script, for Linux and macOS")


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _declared(*extras: str) -> dict[str, Requirement]:
    texts = list(PROJECT["dependencies"])
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    found = [Requirement(text) for text in texts]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


# pyproject.toml


def _optional(node: ast.Try) -> bool:
    names = {name.id for handler in node.handlers for name in ast.walk(handler) if isinstance(name, ast.Name)}
    return bool(names & {"ImportError", "ModuleNotFoundError"})


def _imports(source: str, *, tried: bool) -> set[str]:
    """Return the top-level modules of a source; with or without those it only tries and can do without."""
    tree = ast.parse(source)
    tries = [node for node in ast.walk(tree) if isinstance(node, ast.Try) and _optional(node)]
    spared = {id(inner) for node in tries for statement in node.body for inner in ast.walk(statement)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in spared and not tried:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


_owners = functools.cache(metadata.packages_distributions)


@functools.cache
def _imported(*, tried: bool, deck: bool = False) -> dict[str, set[str]]:
    """Return the distributions that the package, or its deck, imports, with the modules that are taken."""
    slides = ROOT / "mlops_lab" / "slides"
    paths = [path for path in (ROOT / "mlops_lab").rglob("*.py") if path.is_relative_to(slides) is deck]
    sources = [path.read_text(encoding="utf-8") for path in paths]
    modules = set().union(*(_imports(source, tried=tried) for source in sources))
    owners = _owners()
    found: dict[str, set[str]] = {}
    for module in modules - sys.stdlib_module_names - {"mlops_lab"}:
        for owner in owners.get(module, [module]):
            found.setdefault(canonicalize_name(owner), set()).add(module)
    return found


def test_reader_of_imports_sees_what_is_needed_and_spares_what_is_tried() -> None:
    source = (
        "import a.b\ntry:\n    import c\nexcept ImportError:\n    c = None\ndef f():\n    from d.e import g\n"
    )
    assert _imports(source, tried=False) == {"a", "d"}
    assert _imports(source, tried=True) == {"a", "c", "d"}


def test_every_import_is_declared() -> None:
    imported = _imported(tried=False)
    assert {"numpy", "pandas", "scikit-learn"} <= set(imported), "the reader finds too little"
    undeclared = set(imported) - set(_declared())
    assert not undeclared, {name: imported[name] for name in undeclared}
    of_the_deck = set(_imported(tried=False, deck=True)) - set(_declared("slides"))
    assert not of_the_deck, "only what the extra `slides` brings, and what the package needs"


def test_every_dependency_is_used() -> None:
    unused = set(_declared()) - CARD - NOT_IMPORTED - set(_imported(tried=True))
    assert not unused, f"declared in pyproject.toml, but nothing imports {unused}"


def test_the_eight_packages_of_the_course_are_declared() -> None:
    assert set(_declared()) >= CARD


@pytest.mark.parametrize("name", sorted(_declared()))
def test_a_dependency_has_a_lower_and_an_upper_bound(name: str) -> None:
    operators = {clause.operator for clause in _declared()[name].specifier}
    assert operators == {">=", "<"}


def test_the_console_script_exists() -> None:
    module, _, function = PROJECT["scripts"]["mlops-lab"].partition(":")
    tree = ast.parse(_read(module.replace(".", "/") + ".py"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_one_version_everywhere() -> None:
    assert yaml.safe_load(_read("CITATION.cff"))["version"] == PROJECT["version"]
    latest = re.search(r"^## (\d\S*)", _read("CHANGELOG.md"), re.MULTILINE)
    assert latest is not None
    assert latest[1] == PROJECT["version"]


def test_both_licences_stand_in_full() -> None:
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"
    text = " ".join(_read("LICENSE").split())
    assert "MIT License Copyright (c)" in text
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in text
    for number in range(1, 9):
        assert f"Section {number} -- " in text, "a section of CC BY 4.0 is missing"
    assert text.endswith("Creative Commons may be contacted at creativecommons.org.")


# the locks

PLATFORMS = {
    "linux": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "macos": {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
    "windows": {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
}
MACHINES = [
    {
        **platform,
        "python_version": python,
        "python_full_version": f"{python}.7",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": "arm64" if name == "macos" else "x86_64",
    }
    for (name, platform), python in itertools.product(PLATFORMS.items(), ("3.11", "3.12", "3.13"))
]


@functools.cache
def _entries(lock: str) -> list[tuple[Requirement, str]]:
    """Return each requirement of a lock with the text that follows it: its hashes and who asked for it."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", _read(lock), flags=re.MULTILINE)
    found = []
    for block in filter(lambda text: re.match(r"[A-Za-z0-9]", text), blocks):
        first, _, rest = block.partition("\n")
        found.append((Requirement(first.removesuffix("\\").strip()), rest))
    return found


def _pins(lock: str, machine: Mapping[str, str]) -> dict[str, str]:
    """Return what a lock installs on a machine."""
    pins: dict[str, str] = {}
    for requirement, _ in _entries(lock):
        if requirement.marker is None or requirement.marker.evaluate(dict(machine)):
            (clause,) = requirement.specifier
            assert clause.operator == "=="
            assert requirement.name not in pins, f"{requirement.name} is pinned twice on one machine"
            pins[requirement.name] = clause.version
    return pins


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock: str) -> None:
    text = _read(lock)
    assert "://" not in text
    assert not re.search(r"^-|index-url|find-links|trusted-host| @ ", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_hashed(lock: str) -> None:
    assert len(_entries(lock)) > 80, "the reader finds too little"
    for requirement, rest in _entries(lock):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest), f"{requirement} has no hash"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m['sys_platform']}-{m['python_version']}")
def test_a_lock_satisfies_pyproject_on_every_machine(machine: dict[str, str]) -> None:
    for lock, extras in zip(LOCKS, ((), ("test", "slides")), strict=True):
        pins = _pins(lock, machine)
        for name, requirement in _declared(*extras).items():
            assert name in pins, f"{name} is not in {lock}"
            assert requirement.specifier.contains(pins[name], prereleases=True), f"{lock}: {requirement}"
    course, tests = (_pins(lock, machine) for lock in LOCKS)
    assert {name: tests.get(name) for name in course} == course, "the test lock holds other pins"


@pytest.mark.parametrize(("lock", "extras"), [(LOCKS[0], ()), (LOCKS[1], ("test", "slides"))])
def test_a_lock_was_compiled_from_this_pyproject(lock: str, extras: tuple[str, ...]) -> None:
    """uv notes who asked for each package: pyproject for what it declares, else another of the lock."""
    names = {requirement.name for requirement, _ in _entries(lock)}
    asked: set[str] = set()
    for requirement, rest in _entries(lock):
        notes = [line.strip(" #").removeprefix("via").strip() for line in rest.splitlines() if "#" in line]
        parents = [note for note in notes if note and not note.startswith("-c ")]
        assert parents, f"nobody asks for {requirement.name}"
        for parent in parents:
            if parent.startswith("mlops-lab ("):
                asked.add(requirement.name)
            else:
                assert parent in names, f"{requirement.name} is there for {parent}, which is not in the lock"
    assert asked == set(_declared(*extras))


# conda


def _conda() -> tuple[dict[str, str], list[str]]:
    """Return the package specs of environment.yml by name, and what pip adds."""
    specs: dict[str, str] = {}
    pip: list[str] = []
    for entry in yaml.safe_load(_read("environment.yml"))["dependencies"]:
        if isinstance(entry, dict):
            pip += entry["pip"]
            continue
        name, _, bounds = entry.partition(" ")
        assert name not in specs, f"{name} is there twice"
        specs[name] = bounds
    return specs, pip


def test_conda_has_the_packages_of_pyproject() -> None:
    names = {CONDA_NAME.get(name, name) for name in _declared()}
    assert set(_conda()[0]) == names | {"python", "pip"}


@pytest.mark.parametrize("name", ["python", *sorted(_declared())])
def test_conda_has_the_bounds_of_pyproject(name: str) -> None:
    ours = SpecifierSet(PROJECT["requires-python"]) if name == "python" else _declared()[name].specifier
    assert SpecifierSet(_conda()[0][CONDA_NAME.get(name, name)]) == ours


def test_conda_understands_every_spec() -> None:
    from rattler import MatchSpec

    for name, bounds in _conda()[0].items():
        spec = MatchSpec(f"{name} {bounds}".strip(), strict=True)
        assert spec.name is not None
        assert spec.name.normalized == name
        assert (spec.version is None) == (not bounds), f"{name}: the bounds were not taken for a version"


def test_conda_uses_one_channel_and_installs_the_course_itself() -> None:
    assert yaml.safe_load(_read("environment.yml"))["channels"] == ["conda-forge", "nodefaults"]
    # no --no-deps here: conda makes a requirements file of this, and pip refuses that option in one
    assert _conda()[1] == ["-e ."]


# Binder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what Binder's detection and scripts look at."""
    for name in (".binder", "pyproject.toml", "environment.yml", "README.md", "LICENSE", *LOCKS):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    return tmp_path


def _buildpack(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the build pack that repo2docker picks for a folder, as its own `build` does."""
    from repo2docker.app import Repo2Docker

    monkeypatch.chdir(folder)
    app = Repo2Docker()
    packs = (pack(base_image=app.base_image) for pack in app.buildpacks)
    picked = next(pack for pack in packs if pack.detect())
    picked.platform = "linux/amd64"
    return picked


def test_binder_takes_the_python_build_with_a_python_that_is_new_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pack = _buildpack(ROOT, monkeypatch)
    assert type(pack).__name__ == "PythonBuildPack"
    assert pack.runtime[:2] == ("python", pack.python_version), "the version must be ours, not a default"
    assert SpecifierSet(PROJECT["requires-python"]).contains(pack.python_version)


def test_binder_builds_with_our_lock_and_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    dockerfile = _buildpack(ROOT, monkeypatch).render()
    requirements = dockerfile.index('install --no-cache-dir -r ".binder/requirements.txt"')
    assert requirements > dockerfile.index("COPY --chown="), "the lock must be there before it is installed"
    assert dockerfile.index("RUN ./.binder/postBuild") > requirements
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/.binder/start"' in dockerfile
    assert re.sub(r"#.*", "", _read(".binder/requirements.txt")).split() == ["-r", "../requirements.lock"]


CHANGES = {
    "without runtime.txt": (lambda root: (root / ".binder" / "runtime.txt").unlink(), "PythonBuildPack"),
    "with environment.yml": (
        lambda root: shutil.copy(root / "environment.yml", root / ".binder"),
        "CondaBuildPack",
    ),
    "without .binder": (lambda root: shutil.rmtree(root / ".binder"), "CondaBuildPack"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_binder_would_take_its_default_python_if_a_file_were_missing_or_added(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    make, expected = CHANGES[change]
    make(checkout)
    pack = _buildpack(checkout, monkeypatch)
    assert type(pack).__name__ == expected
    assert pack.python_version == pack.major_pythons["3"]


@posix
def test_binder_starts_the_server_with_our_variables(tmp_path: Path) -> None:
    show = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]]))"
    bare = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "7"}
    bare |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["bash", str(ROOT / ".binder" / "start"), sys.executable, "-c", show, "--port", "8888 9"]
    answer = subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=True)
    variables, arguments = json.loads(answer.stdout)
    assert arguments == ["--port", "8888 9"]
    assert variables["OMP_NUM_THREADS"] == "1"
    assert variables["WANDB_MODE"] == "offline"
    assert "PYTHONDONTWRITEBYTECODE" not in variables


def _stub(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
    script.chmod(0o755)


@posix
def test_binder_ends_with_cleared_lessons_in_work(checkout: Path, tmp_path: Path) -> None:
    """`pip install` needs the network, so a stand-in takes that call; all else is real."""
    shutil.copytree(ROOT / "mlops_lab", checkout / "mlops_lab", ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "notebooks").mkdir()
    stored = {"output_type": "stream", "name": "stdout", "text": "seen"}
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": "1",
        "outputs": [stored],
        "execution_count": 3,
    }
    lesson = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (checkout / "notebooks" / "00_start_here.ipynb").write_text(json.dumps(lesson), encoding="utf-8")
    real, log = sys.executable, tmp_path / "pip.log"
    _stub(
        tmp_path / "bin",
        "python3",
        f'[ "$2" = pip ] && {{ echo "$@" >> "{log}"; exit 0; }}\nexec "{real}" "$@"',
    )
    variables = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["./.binder/postBuild"], cwd=checkout, env=variables, check=True, capture_output=True)
    assert log.read_text() == "-m pip install --no-cache-dir --no-deps --editable .\n"
    copied = json.loads((checkout / "work" / "00_start_here.ipynb").read_text(encoding="utf-8"))
    assert copied["cells"][0]["source"] == "1"
    assert copied["cells"][0]["outputs"] == []


# the dev container


def _container() -> dict[str, Any]:
    return json.loads(_read(".devcontainer/devcontainer.json"))


def test_dev_container_has_a_python_that_is_new_enough() -> None:
    match = re.fullmatch(r"python:(\d+\.\d+)-bookworm", _container()["image"])
    assert match is not None
    assert SpecifierSet(PROJECT["requires-python"]).contains(match[1])


def test_dev_container_sets_what_every_machine_sets() -> None:
    show = (
        "import json, platform; from mlops_lab.setup import environment; platform.machine = lambda: 'arm64'\n"
        "print(json.dumps(environment.prepared()))"
    )
    system = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    bare = {**system, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(
        [sys.executable, "-c", show], env=bare, capture_output=True, text=True, check=True
    )
    ours = {
        name: value for name, value in json.loads(answer.stdout).items() if name not in {*bare, "LC_CTYPE"}
    }
    assert _container()["containerEnv"] == ours


def test_dev_container_installs_the_lock_and_prepares_the_lessons() -> None:
    steps = _container()["postCreateCommand"].split(" && ")
    assert steps == [
        "python3 -m pip install --no-cache-dir --require-hashes -r requirements.lock",
        "bash .binder/postBuild",
    ]


# git and editors


def test_git_keeps_line_ends_and_pictures_as_they_are(tmp_path: Path) -> None:
    """A checkout as on Windows, where git is told to turn LF into CRLF."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    files = {
        "picture.png": b"\x89PNG\r\n\x1a\n plain \r\n text \n",
        "lesson.ipynb": b'{\n "cells": []\n}\n',
        "requirements.lock": b"a==1 \\\n",
        "start": b"#!/bin/bash\n",
        "note.md": b"one\ntwo\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    shutil.copy(ROOT / ".gitattributes", tmp_path)

    def git(*arguments: str) -> None:
        settings = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf", "-c", "core.safecrlf=false"]
        identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
        subprocess.run(
            ["git", *settings, *identity, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "files")
    for name in files:
        (tmp_path / name).unlink()
    git("checkout", "--", ".")
    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    asked = ["git", "check-attr", "text", "--", "picture.png", "lesson.ipynb"]
    answer = subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert answer.splitlines() == ["picture.png: text: unset", "lesson.ipynb: text: set"]


@posix
@pytest.mark.parametrize("name", [".ci/run", ".binder/postBuild", ".binder/start"])
def test_a_script_can_be_run(name: str) -> None:
    assert (ROOT / name).stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", str(ROOT / name)], check=True)


# continuous integration


def _ci(tmp_path: Path, stubs: Mapping[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/run where only the stand-ins and a few system tools can be found."""
    tools = tmp_path / "bin"
    for name in ("dirname", "id", "bash", "timeout"):
        if found := shutil.which(name):
            _stub(tools, name, f'exec "{found}" "$@"')
    for name, body in {"sudo": "exit 1", **stubs}.items():
        _stub(tools, name, body)
    environment = {"PATH": str(tools), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run([bash, str(ROOT / ".ci" / "run")], env=environment, capture_output=True, text=True)


PYTHON = 'echo "$PWD $@ ${PYTHONDONTWRITEBYTECODE-unset}"; exit %d'


@posix
@pytest.mark.parametrize("code", [0, 1, 2])
def test_ci_runs_the_test_command_of_the_readme_and_ends_as_it_does(tmp_path: Path, code: int) -> None:
    there = dict.fromkeys(("chromium", "prometheus", "promtool"), "exit 0")
    done = _ci(tmp_path, {"python3": PYTHON % code, **there})
    assert done.stdout.splitlines() == [f"{ROOT} -m mlops_lab test unset"]
    assert done.returncode == code
    assert "\npython3 -m mlops_lab test\n" in _read("README.md")


@posix
@pytest.mark.parametrize(
    ("required", "code", "ends"),
    [("", 0, 0), ("restic", 0, 0), ("chromium", 0, 1), ("prometheus,chromium", 0, 1), ("prometheus", 2, 2)],
)
def test_ci_lists_what_is_missing_last_and_fails_only_where_told(
    tmp_path: Path, required: str, code: int, ends: int
) -> None:
    done = _ci(tmp_path, {"python3": PYTHON % code}, MLOPS_LAB_REQUIRE=required)
    last = [line.split(" is not installed")[0] for line in done.stdout.splitlines()[-2:]]
    assert last == ["skipped: chromium", "skipped: prometheus"]
    assert done.returncode == ends


@posix
def test_ci_goes_on_where_nothing_can_be_installed_and_installs_where_it_can(tmp_path: Path) -> None:
    refused = {"python3": PYTHON % 0, "apt-get": "exit 100", "sudo": 'shift; exec "$@"', "true": "exit 0"}
    assert _ci(tmp_path, refused).returncode == 0
    named = "for last in chromium prometheus promtool; do cp {0}/timeout {0}/$last; done"
    installed = f'[ "$1" = install ] && {named.format(tmp_path / "bin")}; exit 0'
    tools = {**refused, "apt-get": installed, "cp": f'exec {shutil.which("cp")} "$@"'}
    done = _ci(tmp_path, tools, MLOPS_LAB_REQUIRE="chromium,prometheus")
    assert done.returncode == 0
    assert "skipped" not in done.stdout


def _workflow() -> dict[str, Any]:
    return yaml.load(_read(".github/workflows/ci.yml"), Loader=yaml.BaseLoader)  # "on" stays a word


def _steps() -> Iterator[tuple[str, dict[str, str]]]:
    for name, job in _workflow()["jobs"].items():
        for step in job["steps"]:
            yield name, step


def test_workflow_runs_the_script_on_three_systems_and_every_week() -> None:
    workflow = _workflow()
    systems = workflow["jobs"]["locked"]["strategy"]["matrix"]["os"]
    assert [system.partition("-")[0] for system in systems] == ["ubuntu", "macos", "windows"]
    assert len(workflow["on"]["schedule"][0]["cron"].split()) == 5
    assert workflow["on"]["schedule"][0]["cron"].split()[2:4] == ["*", "*"]
    commands: dict[str, list[str]] = {"lint": [], "locked": [], "newest": []}
    for job, step in _steps():
        if "run" in step:
            commands[job].append(step["run"])
            assert step["shell"] == "bash", "PowerShell is the default on Windows"
    assert commands["locked"] == ["bash .ci/run"]
    assert commands["newest"][-1] == "bash .ci/run"
    assert "lock" not in commands["newest"][0], "the newest packages are those that no lock names"


def test_workflow_lints_first_keeps_packages_and_drops_runs_that_a_newer_push_replaced() -> None:
    workflow = _workflow()
    assert all(job["needs"] == "lint" for name, job in workflow["jobs"].items() if name != "lint")
    assert "github.ref" in workflow["concurrency"]["group"]
    cached = {job for job, step in _steps() if step.get("with", {}).get("cache") == "pip"}
    assert cached >= {"lint", "locked"}
    first = [" ".join(step.command[1:]) for step in suite.steps()[:2]]
    linted = [step["run"] for job, step in _steps() if job == "lint" and "run" in step][-1]
    assert linted == " && ".join(f"python3 -m {command}" for command in first)


def test_pre_commit_runs_the_linter_of_the_lock_and_the_rules_for_lessons() -> None:
    hooks = [
        hook for repo in yaml.safe_load(_read(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]
    ]
    locked = re.findall(r"^ruff==[0-9.]+", _read("requirements-test.lock"), re.M)
    assert [hook["additional_dependencies"] for hook in hooks if hook["language"] == "python"] == [locked] * 2
    assert [hook["entry"].split(" --")[0] for hook in hooks][:2] == ["ruff check", "ruff format"]
    assert hooks[2]["entry"] == "python3 -m mlops_lab lint"


def test_workflow_pins_its_actions_and_a_python_that_is_new_enough() -> None:
    for _, step in _steps():
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
        version = step.get("with", {}).get("python-version", "")
        if version and "{{" not in version:
            assert SpecifierSet(PROJECT["requires-python"]).contains(version)
    matrix = _workflow()["jobs"]["locked"]["strategy"]["matrix"]
    pythons = [*matrix["python"], *(entry["python"] for entry in matrix["include"])]
    assert all(SpecifierSet(PROJECT["requires-python"]).contains(python) for python in pythons)
