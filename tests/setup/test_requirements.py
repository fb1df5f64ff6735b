"""Our small reader of requirements, held against `packaging`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mlops_lab.setup import requirements

ROOT = Path(__file__).resolve().parents[2]

releases = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
endings = st.sampled_from(
    ["", "", "", "a1", "b2", "rc1", ".post1", ".dev3", "rc1.dev2", ".post2.dev1", "-1", ".0"]
)
versions = st.builds(lambda release, ending: release + ending, releases, endings)
clauses = st.builds(
    lambda operator, version: operator + version,
    st.sampled_from([">=", "<=", "==", "!=", "<", ">"]),
    versions,
)


@settings(max_examples=300, deadline=None)
@given(versions, st.lists(clauses, max_size=3).map(",".join))
def test_bounds_mean_what_packaging_says(version, bounds):
    ours = requirements.satisfies(version, bounds)
    assert ours == SpecifierSet(bounds).contains(Version(version), prereleases=True)


@settings(max_examples=150, deadline=None)
@given(versions, versions)
def test_order_is_packagings(first, second):
    assert requirements.satisfies(first, f">={second}") == (Version(first) >= Version(second))


@pytest.mark.parametrize("bounds", ["~=2.0", "==2.*", "===2", ">= ", "2.0", ">=two"])
def test_a_form_that_is_not_understood_is_refused(bounds):
    with pytest.raises(ValueError, match="is not understood"):
        requirements.satisfies("2.0", bounds)


def test_every_requirement_of_the_course_is_read_as_packaging_reads_it():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = list(project["optional-dependencies"])
    texts = project["dependencies"] + [
        text for extra in extras for text in project["optional-dependencies"][extra]
    ]
    ours = list(requirements.requirements(ROOT, extras))
    theirs = [Requirement(text) for text in texts]
    assert [name for name, _ in ours] == [requirement.name for requirement in theirs]
    for (_, bounds), requirement in zip(ours, theirs, strict=True):
        assert SpecifierSet(bounds) == requirement.specifier
        requirements.satisfies("1.0", bounds)  # every clause is understood


def course(folder: Path, *dependencies: str) -> Path:
    listed = ", ".join(f"'{text}'" for text in dependencies)
    (folder / "pyproject.toml").write_text(f"[project]\ndependencies = [{listed}]\n")
    return folder


def test_what_is_missing_or_out_of_bounds_is_said(tmp_path):
    found = requirements.unmet(course(tmp_path, "pytest>=1", "numpy<1", "no-such-kit>=2"))
    assert len(found) == 2
    assert found[0].startswith("numpy is 2.") and "<1" in found[0]
    assert found[1] == "no-such-kit is missing (needed: >=2)"


def test_names_are_compared_as_pip_does(tmp_path):
    assert requirements.unmet(course(tmp_path, "Scikit_Learn>=1", "PyYAML")) == []


def test_an_unknown_extra_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no extra 'tests'; it has .*test"):
        list(requirements.requirements(ROOT, ["tests"]))


def test_a_requirement_with_a_marker_is_refused_aloud(tmp_path):
    with pytest.raises(ValueError, match="not understood"):
        requirements.unmet(course(tmp_path, 'numpy; sys_platform == "win32"'.replace('"', "")))


def test_another_environments_packages(tmp_path):
    site = tmp_path / "site"
    info = site / "tiny_kit-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-kit\nVersion: 1.5\n")
    root = course(tmp_path, "tiny-kit>=1,<2", "pytest")
    assert requirements.unmet(root, site=site) == ["pytest is missing (needed: any version)"]
    (info / "METADATA").unlink()  # a removal that was cut off
    assert len(requirements.unmet(root, site=site)) == 2
    shutil.rmtree(info)


def test_it_needs_the_standard_library_only():
    code = "from mlops_lab import cli; from mlops_lab.setup import bootstrap, doctor, installer, lessons"
    answer = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
