"""A Label Studio of one's own on this machine, in an environment of its own.

Its packages and ours would force old versions on each other.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from dragoman.errors import DragomanError
from dragoman.formats import files

log = logging.getLogger(__name__)
VERSION = "1.23.2"
HOST = "127.0.0.1"
ENVIRONMENT = "DRAGOMAN_LABEL_STUDIO"
"""Names the ``label-studio`` command to use instead of one in an environment of its own."""
LOGIN = "admin@example.com"
WAIT = 300
"""Seconds that the first start may take; later ones take a few."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A server that runs. key: a legacy token, for ``annotate push`` and ``pull``."""

    url: str
    user: str
    password: str
    key: str
    process: int


def home() -> Path:
    """Where the server's environment and data are kept, unless named."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "dragoman" / "label-studio"


def command(folder: Path) -> Path:
    """The ``label-studio`` to run: the one that ENVIRONMENT names, else one installed below the folder.

    Raises DragomanError if it can't be found or installed.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        if not Path(named).is_file():
            raise DragomanError(f"{ENVIRONMENT} names {named}, which is no file.")
        return Path(named)
    place = folder / f"venv-{VERSION}"
    found = place / "bin" / "label-studio"
    if (place / "complete").exists() and found.exists():
        return found
    log.info("installing Label Studio %s into %s; once, some minutes", VERSION, place)
    shutil.rmtree(place, ignore_errors=True)
    uv = shutil.which("uv")
    python = place / "bin" / "python"
    wanted = f"label-studio=={VERSION}"
    if uv:
        steps = [[uv, "venv", "--quiet", "--python", sys.executable, str(place)]]
        steps.append([uv, "pip", "install", "--quiet", "--python", str(python), wanted])
    else:
        steps = [[sys.executable, "-m", "venv", str(place)]]
        steps.append([str(python), "-m", "pip", "install", "--quiet", wanted])
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise DragomanError(f"Label Studio could not be installed: {done.stderr.strip()[-400:]}")
    (place / "complete").touch()
    return found


@contextmanager
def running(folder: Path, *, port: int | None = None) -> Iterator[Running]:
    """A Label Studio on 127.0.0.1 while the context lasts, its data below a folder.

    port: to listen on; a free one if None. The login and the token are made at the first start and kept in
    ``folder/login.json``, which nobody else may read. Nothing of what it does is reported to anybody.

    Raises DragomanError if the port is taken, or the server ends or does not answer within WAIT seconds.
    """
    program = command(folder)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    login = _login(folder)
    port = _free_port(port)
    url = f"http://{HOST}:{port}"
    arguments = ["start", "--no-browser", "--data-dir", str(data), "--internal-host", HOST, "-p", str(port)]
    journal = folder / "server.log"
    with journal.open("wb") as told:
        process = subprocess.Popen(  # noqa: S603
            [str(program), *arguments],
            env={**os.environ, **_settings(login)},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await(url, process, journal)
            yield Running(
                url=url, user=LOGIN, password=login["password"], key=login["key"], process=process.pid
            )
        finally:
            _end(process)


def _settings(login: dict[str, str]) -> dict[str, str]:
    return {
        "LABEL_STUDIO_USERNAME": LOGIN,
        "LABEL_STUDIO_PASSWORD": login["password"],
        "LABEL_STUDIO_USER_TOKEN": login["key"],
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",  # a pre-labelling server runs here as well
        "COLLECT_ANALYTICS": "0",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "0",
    }


def _login(folder: Path) -> dict[str, str]:
    path = folder / "login.json"
    try:
        if path.exists():
            found = json.loads(files.read_bytes(path))
            return {"password": str(found["password"]), "key": str(found["key"])}
    except (ValueError, KeyError, TypeError) as error:
        raise DragomanError(f"{path}: not a login as `annotate serve` writes it ({error}).") from error
    login = {"password": secrets.token_urlsafe(12), "key": secrets.token_hex(20)}
    path.touch(mode=0o600)
    files.write(path, json.dumps(login) + "\n")
    path.chmod(0o600)
    return login


def _free_port(port: int | None) -> int:
    """The port, or a free one; the server itself would silently take the next one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port or 0))
        except OSError as error:
            raise DragomanError(
                f"port {port} of {HOST} is taken ({error}). Name another, or none."
            ) from error
        return int(probe.getsockname()[1])


def _await(url: str, process: subprocess.Popen[bytes], journal: Path) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < WAIT:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    last = " ".join(journal.read_text("utf-8", "replace").split())[-400:]
    raise DragomanError(f"Label Studio did not start. Its last words, in {journal}: {last}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and all that it started."""
    for sent, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sent)
            process.wait(seconds)
        except (ProcessLookupError, PermissionError):
            return
        except subprocess.TimeoutExpired:
            continue
        return
