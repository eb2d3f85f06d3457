"""What usually goes wrong between a Label Studio server and its clients: the cause, and the remedy."""

from __future__ import annotations

import importlib.metadata
import json
import re
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import msgspec

from dragoman.annotate.serve import VERSION

LEGACY = re.compile(r"[0-9a-f]{40}")
PERSONAL = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
WAIT = 20
"""Seconds for one answer."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at; remedy: what to do if it is not good."""

    what: str
    good: bool
    remedy: str = ""


def examine(url: str, key: str) -> Iterator[Finding]:
    """Look at the client, the address, the server's version and the key, until something is wrong.

    key: a legacy token (40 hexadecimal digits) or a personal access token (three parts between dots).
    """
    yield _client()
    answers = _address(url)
    yield answers
    if not answers.good:
        return
    yield _version(url)
    yield _key(url, key)


def _client() -> Finding:
    try:
        found = importlib.metadata.version("label-studio-sdk")
    except importlib.metadata.PackageNotFoundError:
        remedy = "Install the extra: pip install 'dragoman[labelstudio]'"
        return Finding(what="label-studio-sdk is not installed", good=False, remedy=remedy)
    return Finding(what=f"label-studio-sdk {found} is installed", good=True)


def _address(url: str) -> Finding:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        remedy = "Give an address such as http://127.0.0.1:8080"
        return Finding(what=f"{url} is no address of a server", good=False, remedy=remedy)
    try:
        status, body = _ask(url, "/health")
    except TimeoutError:
        remedy = "The server is overloaded, or a firewall swallows the requests."
        return Finding(what=f"{url} did not answer within {WAIT} seconds", good=False, remedy=remedy)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, socket.gaierror):
            remedy = f"No machine is named {parts.hostname}: look at the spelling."
        elif isinstance(reason, ConnectionRefusedError):
            remedy = "Nothing listens there: start the server (`dragoman annotate serve`), or mend the port."
        else:
            remedy = "Look at the address, at http or https, and at a proxy in between."
        return Finding(what=f"{url} can't be reached ({reason})", good=False, remedy=remedy)
    if status != 200:
        remedy = "Another program has the port, or a proxy stands before the server: look at the address."
        what = f"{url}/health gives {status} ({' '.join(body.split())[:80]})"
        return Finding(what=what, good=False, remedy=remedy)
    return Finding(what=f"{url} answers", good=True)


def _version(url: str) -> Finding:
    found = None
    try:
        status, body = _ask(url, "/api/version")
        if status == 200:
            found = json.loads(body).get("release")
    except (OSError, ValueError, AttributeError):
        pass
    if found == VERSION:
        return Finding(what=f"the server is Label Studio {found}", good=True)
    if found is None:
        remedy = "Is this a Label Studio? Its /api/version says nothing."
        return Finding(what="the server tells no version", good=False, remedy=remedy)
    remedy = (
        f"Push and pull are tested with {VERSION}: try a project of your own first, or change the server."
    )
    return Finding(what=f"the server is Label Studio {found}", good=False, remedy=remedy)


def _key(url: str, key: str) -> Finding:
    copied = "Copy it anew from Account & Settings, whole and without blanks."
    try:
        if LEGACY.fullmatch(key):
            return _told(
                url,
                f"Token {key}",
                "legacy token",
                "Legacy tokens are off (Organization, API Tokens "
                "Settings), or it is another user's or server's: take a personal access token.",
            )
        if not PERSONAL.fullmatch(key):
            what = f"the key has {len(key)} characters and is neither a legacy nor a personal access token"
            return Finding(what=what, good=False, remedy=copied)
        status, body = _ask(url, "/api/token/refresh/", send={"refresh": key})
        if status != 200:
            what = f"the personal access token was refused ({status})"
            remedy = f"It has expired, was revoked, or is of another server. {copied}"
            return Finding(what=what, good=False, remedy=remedy)
        return _told(url, f"Bearer {json.loads(body)['access']}", "personal access token", copied)
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "Is a proxy in between? It must let /api through."
        return Finding(what=f"the key could not be tried ({error})", good=False, remedy=remedy)


def _told(url: str, authorization: str, kind: str, remedy: str) -> Finding:
    status, body = _ask(url, "/api/current-user/whoami", authorization=authorization)
    if status == 200:
        return Finding(what=f"the {kind} is that of {json.loads(body)['email']}", good=True)
    return Finding(what=f"the {kind} was refused ({status})", good=False, remedy=remedy)


def _ask(
    url: str, path: str, *, authorization: str | None = None, send: dict[str, Any] | None = None
) -> tuple[int, str]:
    """Status and text of an answer. Raises OSError where there is none."""
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    content = None if send is None else json.dumps(send).encode()
    request = urllib.request.Request(url.rstrip("/") + path, data=content, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:  # noqa: S310
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
