"""Filling an environment from a lock: uv or pip, the user's settings, and what went wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_lab.setup import installer, venv

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("uv_there", "uv_code", "used"),
    [(True, 0, ["uv"]), (True, 1, ["uv", "pip"]), (True, None, ["uv", "pip"]), (False, 0, ["pip"])],
)
def test_uv_does_it_where_it_can_else_pip(tmp_path, monkeypatch, capsys, uv_there, uv_code, used):
    """None: uv is there and cannot be started."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("one==1.0 --hash=sha256:0\ntwo==2.0 --hash=sha256:0\n")
    asked = []

    def started(command, variables, lock_file, piped):
        asked.append("uv")
        assert command[:3] == ["uv", "pip", "install"] and command[-2:] == ["-r", str(lock)]
        assert {"--require-hashes", "--compile-bytecode"} < set(command)
        if uv_code is None:
            raise OSError("not for this processor")
        return subprocess.Popen([sys.executable, "-S", "-c", f"raise SystemExit({uv_code})"])

    monkeypatch.setattr(installer, "_pip_settings", lambda python: {})
    monkeypatch.setattr(installer, "_fetch_uv", lambda *given: Path("uv") if uv_there else None)
    monkeypatch.setattr(installer, "_started", started)
    monkeypatch.setattr(
        installer, "_with_pip", lambda python, settings, file, total, lock: asked.append("pip")
    )
    installer.install(Path("python"), lock, pin=lock, target=tmp_path, lock=0)
    said = capsys.readouterr().err
    assert asked == used
    assert "[3/4] installing up to 2 packages" in said
    assert ("pip does it, more slowly" in said) == ("pip" in used)


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
    for name in ("mlops_lab/setup/bootstrap-uv.txt", *venv.LOCKS):
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
