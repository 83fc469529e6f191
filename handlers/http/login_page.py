"""The pages for a browser that a link does not sign in, or not yet. Pure: no I/O is imported here."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from string import Template

EXPIRED = "equabot:login-expired"
"""The message to the page around the frame, which can then request a new session."""

FAILED = "equabot:login-failed"
"""Likewise of what passes, with `retryAfter` in seconds."""

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<main>
<h1>$title</h1>
<p>$advice</p>
$rest</main>
</html>
""")

_SCRIPT = Template("""<script nonce="$nonce">
for (const origin of $origins) if (parent !== window) parent.postMessage($message, origin);
</script>
""")

STORAGE = "equabot:storage"
"""What the page that tries storage sends, with `works`."""

_TRY_STORAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Messaging</title>
<script nonce="$nonce">
function storageWorks() {
  localStorage.setItem("equabot", "1");
  const kept = localStorage.getItem("equabot") === "1";
  localStorage.removeItem("equabot");
  return kept;
}
function cookiesWork() {
  const attributes = "; SameSite=None; Secure; Partitioned";
  document.cookie = "equabot=1" + attributes;
  const kept = document.cookie.includes("equabot=1");
  document.cookie = "equabot=; Max-Age=0" + attributes;
  return kept;
}
function works() {
  try {
    return storageWorks() && (location.protocol !== "https:" || cookiesWork());
  } catch {
    return false;
  }
}
const message = { type: $type, works: works() };
for (const origin of $origins) if (parent !== window) parent.postMessage(message, origin);
</script>
</html>
""")

_WAIT = Template("""<p><a href="$place">Sign in with Equa</a></p>
<script nonce="$nonce">
if (parent === window) location.replace($address);
for (const origin of $origins) if (parent !== window) parent.postMessage($message, origin);
</script>
""")

_AGAIN = '<p><a href="">Try again</a></p>\n'

_GO_ON = Template("""<p><a href="" referrerpolicy="origin">Continue with this link</a></p>
<p><a href="$unchanged">Stay signed in as you are</a></p>
""")


def expired_page(nonce: str, origins: Sequence[str]) -> str:
    """Return the page for a ticket that is not good; it notifies pages of `origins` that frame it."""
    advice = "The link that signs you in has been used or is too old. Open Messaging in Equa again."
    script = _script(nonce, origins, {"type": EXPIRED})
    return _PAGE.substitute(title="Please open Messaging again", advice=advice, rest=script)


def waiting_page(nonce: str, place: str, origins: Sequence[str]) -> str:
    """Return the page that goes on to `place` in a tab, and notifies pages of `origins` that frame it."""
    rest = _WAIT.substitute(
        nonce=nonce,
        place=escape(place),
        address=_literal(place),
        origins=_literal(list(origins)),
        message=_literal({"type": EXPIRED}),
    )
    return _PAGE.substitute(title="Signing you in", advice="One moment, please.", rest=rest)


def storage_page(nonce: str, origins: Sequence[str]) -> str:
    """Return the page that tries to store something and notifies pages of `origins` that frame it.

    Mattermost's web app needs both of what it tries, and says nothing where the browser refuses.
    """
    return _TRY_STORAGE.substitute(nonce=nonce, type=_literal(STORAGE), origins=_literal(list(origins)))


def trouble_page(sentence: str) -> str:
    """Return the page for something that stays."""
    return _trouble(sentence)


def passing_page(sentence: str, retry_after: int, nonce: str, origins: Sequence[str]) -> str:
    """Return the page for something that passes; it notifies pages of `origins` that frame it."""
    return _trouble(sentence, _script(nonce, origins, {"type": FAILED, "retryAfter": retry_after}))


def question_page(unchanged: str) -> str:
    """Return the page that asks before somebody else is signed in; its link is the address that it is at.

    The browser calls that link one of the same origin, or names the chat, which no other site can make it do.
    """
    advice = (
        "This link signs you in to the chat as the person it was made for. "
        "If it was not you who has just opened Messaging in Equa, do not continue."
    )
    rest = _GO_ON.substitute(unchanged=escape(unchanged))
    return _PAGE.substitute(title="You are signed in already", advice=advice, rest=rest)


def _trouble(sentence: str, script: str = "") -> str:
    return _PAGE.substitute(title="Signing in did not work", advice=escape(sentence), rest=_AGAIN + script)


def _script(nonce: str, origins: Sequence[str], message: Mapping[str, object]) -> str:
    return _SCRIPT.substitute(nonce=nonce, origins=_literal(list(origins)), message=_literal(message))


def _literal(value: object) -> str:
    # "<" could end the script.
    return json.dumps(value).replace("<", "\\u003c")


def policy(nonce: str, origins: Sequence[str]) -> str:
    """Return the Content-Security-Policy of all; `origins` may frame them."""
    ancestors = " ".join(("'self'", *origins))
    return f"default-src 'none'; script-src 'nonce-{nonce}'; frame-ancestors {ancestors}"
