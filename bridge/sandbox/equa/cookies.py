"""The session cookie as express-session makes it: `connect.sid=s%3A<sid>.<signature>`. Pure."""

import hmac
from base64 import b64encode
from email.utils import formatdate
from hashlib import sha256
from urllib.parse import quote, unquote

NAME = "connect.sid"


def header(session_id: str, secret: bytes) -> str:
    """Return the pair of name and value that a browser sends."""
    return f"{NAME}={quote(f's:{session_id}.{_signature(session_id, secret)}', safe='')}"


def set_cookie(session_id: str, secret: bytes, expires: float) -> str:
    """Return the Set-Cookie header; `expires` is in seconds since 1970."""
    moment = formatdate(expires, usegmt=True)
    return f"{header(session_id, secret)}; Path=/; Expires={moment}; HttpOnly; SameSite=Lax"


def session_id(cookie: str, secret: bytes) -> str:
    """Return the id of the session that a Cookie header names; empty if there is none or it is forged.

    As in npm's `cookie`, the first of several cookies of the name counts.
    """
    for part in cookie.split(";"):
        name, _, value = part.strip().partition("=")
        if name == NAME:
            found, _, signature = unquote(value).removeprefix("s:").rpartition(".")
            good = hmac.compare_digest(signature.encode(), _signature(found, secret).encode())
            return found if good else ""
    return ""


def _signature(session_id: str, secret: bytes) -> str:
    return b64encode(hmac.digest(secret, session_id.encode(), sha256)).decode().rstrip("=")
