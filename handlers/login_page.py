"""The page that a browser gets that could not be signed in. Pure: no I/O is imported here."""

import json
from collections.abc import Sequence
from html import escape
from string import Template

EXPIRED = "equabot:login-expired"
"""What the page tells the one that frames it, which can then ask for a new session."""

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
for (const origin of $origins) if (parent !== window) parent.postMessage({ type: "$message" }, origin);
</script>
""")

_AGAIN = '<p><a href="">Try again</a></p>\n'


def expired_page(nonce: str, origins: Sequence[str]) -> str:
    """Return the page for a ticket that is not good; pages of `origins` that frame it are told."""
    # "<" could end the script.
    listed = json.dumps(list(origins)).replace("<", "\\u003c")
    script = _SCRIPT.substitute(nonce=nonce, origins=listed, message=EXPIRED)
    advice = "The link that signs you in has been used or is too old. Open Messaging in Equa again."
    return _PAGE.substitute(title="Please open Messaging again", advice=advice, rest=script)


def trouble_page(sentence: str) -> str:
    """Return the page for something that passes."""
    return _PAGE.substitute(title="Signing in did not work", advice=escape(sentence), rest=_AGAIN)


def policy(nonce: str, origins: Sequence[str]) -> str:
    """Return the Content-Security-Policy of both; `origins` may frame them."""
    ancestors = " ".join(("'self'", *origins))
    return f"default-src 'none'; script-src 'nonce-{nonce}'; frame-ancestors {ancestors}"
