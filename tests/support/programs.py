"""Programs that tests need and that pip cannot install."""

import os
import shutil

import pytest


def required_program(*names: str) -> str:
    """Return the path of the first of these names that is installed.

    Without any of them the test is skipped, but on CI it fails: skipped there, it would never run.
    """
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # where Debian puts servers
    for name in names:
        found = shutil.which(name, path=path)
        if found is not None:
            return found
    reason = f"{' or '.join(names)} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
