"""The real Prometheus, where it is installed: started on loopback, asked, and stopped again."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

__all__ = ["PrometheusServer", "prometheus_program"]


def prometheus_program() -> str | None:
    """Find the program ``prometheus`` on this machine.

    Examples
    --------
    >>> found = prometheus_program()
    >>> found is None or "prometheus" in found
    True

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    return shutil.which("prometheus")


class PrometheusServer:
    """A Prometheus that visits one address each second, and evaluates rules: for lessons and tests.

    Use it in a ``with`` block; leaving that stops it. In the block, ``server.wait_for("Slow")`` waits until
    an alert fires, and ``server.alerts()`` and ``server.query("up")`` read what there is. It keeps its data
    in the given folder, listens on loopback, and has no access control: not for production.

    Parameters
    ----------
    folder
        An empty folder for its settings and data.
    target
        The address to visit, ``127.0.0.1:port``.
    rules
        The text of a rules file, as from ``prometheus_rules``.
    every_s
        Seconds between visits, and between evaluations.

    Raises
    ------
    FileNotFoundError
        If Prometheus is not installed.

    Examples
    --------
    >>> import os, tempfile
    >>> server = PrometheusServer(Path(tempfile.mkdtemp()), "127.0.0.1:1", '{"groups": []}')
    >>> server.every_s
    1
    >>> server.alerts()
    Traceback (most recent call last):
    RuntimeError: this Prometheus is not running: ask it inside its with block
    """

    def __init__(self, folder: Path, target: str, rules: str, *, every_s: int = 1) -> None:
        self.folder, self.target, self.rules, self.every_s = Path(folder), target, rules, every_s
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PrometheusServer:
        program = prometheus_program()
        if program is None:
            raise FileNotFoundError(
                "the program prometheus is not installed: on Debian, the package prometheus"
            )
        (self.folder / "rules.yml").write_text(self.rules, encoding="utf-8")
        every = f"{self.every_s}s"
        settings = {
            "global": {"scrape_interval": every, "evaluation_interval": every},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "model", "static_configs": [{"targets": [self.target]}]}],
        }
        path = self.folder / "prometheus.yml"
        path.write_text(json.dumps(settings), encoding="utf-8")
        self._port = _free_port()
        command = [program, f"--config.file={path}", f"--storage.tsdb.path={self.folder / 'data'}"]
        command += [f"--web.listen-address=127.0.0.1:{self._port}", "--log.level=error"]
        with (self.folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        try:
            self._until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def alerts(self) -> list[dict[str, Any]]:
        """Read through its HTTP interface which alerts there are, firing or pending.

        Returns
        -------
        list of dict
            As Prometheus tells them: ``labels``, ``annotations``, ``state``, ``value``.
        """
        found: list[dict[str, Any]] = self._ask("/api/v1/alerts")["data"]["alerts"]
        return found

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask for the present value of an expression.

        Parameters
        ----------
        expression
            In its language, PromQL.

        Returns
        -------
        list of dict
            One for each series: ``metric`` (its labels) and ``value`` (time and number).
        """
        found: list[dict[str, Any]] = self._ask(f"/api/v1/query?query={quote(expression)}")["data"]["result"]
        return found

    def wait_for(self, name: str, *, seconds: float = 20.0) -> dict[str, Any] | None:
        """Wait until an alert fires.

        Parameters
        ----------
        name
            The alert's name.
        seconds
            How long to wait at most.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for alert in self.alerts():
                if alert["labels"]["alertname"] == name and alert["state"] == "firing":
                    return alert
            time.sleep(0.2)
        return None

    def _until_ready(self, seconds: float = 30.0) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                said = (self.folder / "prometheus.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"prometheus stopped at its start: {said.strip()[-300:]}")
            try:
                if self._get("/-/ready")[0] == 200:
                    return
            except (OSError, HTTPException):
                pass
            time.sleep(0.1)
        raise RuntimeError(f"prometheus was not ready within {seconds:g} seconds")

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _ask(self, path: str) -> dict[str, Any]:
        if self._process is None:
            raise RuntimeError("this Prometheus is not running: ask it inside its with block")
        status, body = self._get(path)
        if status != 200:
            raise RuntimeError(f"prometheus answered {status}: {body[:200].decode(errors='replace')}")
        found: dict[str, Any] = json.loads(body)
        return found

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
