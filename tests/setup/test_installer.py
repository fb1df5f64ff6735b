"""Filling an environment from a lock: uv or pip, the user's settings, and what went wrong."""

# ruff: noqa: F811  (a fixture that is imported is named again where a test asks for it)

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from tiny_course import ROOT, course, forbid, template, uv, version  # noqa: F401

from mlops_lab.setup import bootstrap, installer


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_uv_does_it_where_it_can_be_had(course, tmp_path, monkeypatch):
    log = tmp_path / "uv.log"
    (course / "mlops_lab" / "setup" / "bootstrap-uv.txt").write_text(uv(tmp_path / "wheels", log, 0))
    (course / ".venv" / ".mlops-lab.json").unlink()
    forbid(monkeypatch, installer, "_with_pip")
    bootstrap.ensure(root=course)
    said = log.read_text().splitlines()
    python = str(bootstrap.venv_python(course / ".venv"))
    for word in (
        "install",
        "--require-hashes",
        "--compile-bytecode",
        python,
        str(course / "requirements.lock"),
    ):
        assert word in said
    assert "UV_SYSTEM_CERTS=1" in said
    assert f"UV_FIND_LINKS={tmp_path / 'wheels'}" in said
    assert "UV_NO_INDEX=1" in said


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_where_uv_fails_pip_does_it(course, tmp_path, capfd):
    (course / "mlops_lab" / "setup" / "bootstrap-uv.txt").write_text(
        uv(tmp_path / "wheels", tmp_path / "uv.log", 1)
    )
    shutil.copy(course.parent / "newer.lock", course / "requirements.lock")
    bootstrap.ensure(root=course)
    assert (tmp_path / "uv.log").exists()
    assert version(course) == "2.0"
    assert "uv could not do it" in capfd.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_a_uv_with_other_content_than_pinned_is_never_run(course, tmp_path):
    line = uv(tmp_path / "wheels", tmp_path / "uv.log", 0)
    (course / "mlops_lab" / "setup" / "bootstrap-uv.txt").write_text(
        re.sub("sha256:.{8}", "sha256:00000000", line)
    )
    (course / ".venv" / ".mlops-lab.json").unlink()
    bootstrap.ensure(root=course)
    assert not (tmp_path / "uv.log").exists()


def test_a_package_with_other_content_than_locked_is_refused(course, tmp_path):
    lock = course / "requirements.lock"
    lock.write_text(re.sub("sha256:.{8}", "sha256:00000000", (tmp_path / "newer.lock").read_text()))
    with pytest.raises(installer.SetupError, match="does not have the content that the lock file promises"):
        bootstrap.ensure(root=course)
    assert version(course) == "1.0"
    assert bootstrap.stamped(course) == {}


def test_uv_is_told_what_pip_was_told(monkeypatch):
    for name in ("SSL_CERT_FILE", "UV_INDEX", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    told = installer._for_uv({"index-url": "A", "extra-index-url": "B C", "find-links": "D\nE", "cert": "F"})
    assert told["UV_DEFAULT_INDEX"] == "A"
    assert told["UV_INDEX"] == "B C"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert told["UV_FIND_LINKS"] == "D,E"
    assert told["SSL_CERT_FILE"] == "F"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "mine")
    assert installer._for_uv({"index-url": "A"})["UV_DEFAULT_INDEX"] == "mine"


def test_pips_settings_are_read_nearest_last(tmp_path, monkeypatch):
    file = tmp_path / "pip.conf"
    file.write_text("[global]\ntimeout = 5\nfind-links = from-file\n[install]\nfind-links = for-install\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert installer._pip_settings(Path(sys.executable))["find-links"] == "for-install"
    monkeypatch.setenv("PIP_FIND_LINKS", "from-shell")
    found = installer._pip_settings(Path(sys.executable))
    assert (found["find-links"], found["timeout"]) == ("from-shell", "5")


def test_pip_gets_the_systems_certificates_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("PIP_CERT", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    (tmp_path / "ours.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ours.pem"))
    assert installer._for_pip({})["PIP_CERT"] == str(tmp_path / "ours.pem")
    assert "PIP_CERT" not in installer._for_pip({"cert": "theirs"})


def test_the_pinned_files_hold_hashes_and_no_address():
    pin = (ROOT / "mlops_lab" / "setup" / "bootstrap-uv.txt").read_text()
    assert re.match(r"uv==[\d.]+ \\\n", pin)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", pin)) >= 15  # one for each platform
    for name in ("mlops_lab/setup/bootstrap-uv.txt", *bootstrap.LOCKS):
        text = (ROOT / name).read_text()
        assert "://" not in text and "index" not in text.replace("index-", ""), name


@pytest.mark.parametrize(
    ("output", "beginning"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "The disk",
        ),
        ("error: Failed to write: There is not enough space on the disk. (os error 112)", "The disk"),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] self-signed",
            "The package index",
        ),
        ("error: invalid peer certificate: UnknownIssuer", "The package index"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "A fetched package"),
        (
            "NameResolutionError: Failed to resolve 'x' ([Errno -3] Temporary failure in name",
            "The packages could",
        ),
        ("dns error: failed to lookup address information: Name or service not known", "The packages could"),
        ("[Errno 11001] getaddrinfo failed", "The packages could"),
    ],
)
def test_installers_messages_are_understood(output, beginning):
    assert installer.diagnosis(output).startswith(beginning)


def test_an_unknown_message_is_not_guessed_at():
    assert installer.diagnosis("ERROR: something else") is None


def test_what_pip_said_last_is_shown_when_the_cause_is_unknown(course, tmp_path):
    (course / "requirements.lock").write_text("nowhere==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(installer.SetupError, match="No matching distribution found for nowhere"):
        bootstrap.ensure(root=course)


def test_no_network(course, monkeypatch, capsys):
    shutil.copy(course.parent / "newer.lock", course / "requirements.lock")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    assert bootstrap.main(["lint"], course) == 2
    said = capsys.readouterr().err
    assert "reaches no package index" in said
    assert "Traceback" not in said
    assert bootstrap.stamped(course) == {}
