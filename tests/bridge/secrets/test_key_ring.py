"""The key ring."""

import asyncio
import base64
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigurationError, Damaged, StartupError, UnknownKey
from bridge.secrets.key_ring import KeyRing, load_or_create, new_key

COLUMN = "mattermost_user_mappings.personal_access_token"
KEY = new_key()
OTHER = new_key()


def ring(text: str = f"k1:{KEY}") -> KeyRing:
    return KeyRing.parse(text)


@given(st.text())
def test_opens_what_it_sealed(plain: str) -> None:
    """Any text comes back."""
    assert plain == ring().open(ring().seal(plain, column=COLUMN, row="7"), column=COLUMN, row="7")


def test_has_the_documented_text_form() -> None:
    """v1, the key's id, and nonce + ciphertext + tag in base64."""
    version, key_id, encoded = ring().seal("secret", column=COLUMN, row="7").split(":")

    assert (version, key_id) == ("v1", "k1")
    assert 12 + len("secret") + 16 == len(base64.b64decode(encoded))


def test_never_seals_alike_twice() -> None:
    """Equal values cannot be told from each other at rest."""
    assert ring().seal("secret", column=COLUMN, row="7") != ring().seal("secret", column=COLUMN, row="7")


@pytest.mark.parametrize(("column", "row"), [(COLUMN, "8"), ("other.column", "7")])
def test_does_not_open_in_another_place(column: str, row: str) -> None:
    """A value copied to another row or column is damaged."""
    sealed = ring().seal("secret", column=COLUMN, row="7")

    with pytest.raises(Damaged):
        ring().open(sealed, column=column, row=row)


def test_does_not_open_under_another_key_id() -> None:
    """The key's id is authenticated even when both ids have the same key."""
    both = ring(f"k1:{KEY},k2:{KEY}")
    sealed = both.seal("secret", column=COLUMN, row="7").replace("v1:k1:", "v1:k2:")

    with pytest.raises(Damaged):
        both.open(sealed, column=COLUMN, row="7")


@pytest.mark.parametrize("text", ["", "secret", "v2:k1:AAAA", "v1:k1", "v1:k1:=?", "v1:k1:", "v1:k1:AAAA"])
def test_calls_what_is_no_sealed_value_damaged(text: str) -> None:
    """Whatever stands in the column, the error is Damaged."""
    with pytest.raises(Damaged):
        ring().open(text, column=COLUMN, row="7")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_notices_every_changed_byte(position: int, change: int) -> None:
    """No byte of nonce, ciphertext or tag can be changed."""
    prefix, _, encoded = ring().seal("secret", column=COLUMN, row="7").rpartition(":")
    sealed = bytearray(base64.b64decode(encoded))
    sealed[position % len(sealed)] ^= change

    with pytest.raises(Damaged):
        ring().open(f"{prefix}:{base64.b64encode(sealed).decode()}", column=COLUMN, row="7")


def test_names_the_key_that_is_missing() -> None:
    """A key that was taken out of the ring is told from damage."""
    sealed = ring(f"old:{OTHER}").seal("secret", column=COLUMN, row="7")

    with pytest.raises(UnknownKey, match="old"):
        ring().open(sealed, column=COLUMN, row="7")


def test_opens_with_an_older_key_and_calls_it_stale() -> None:
    """After a rotation the old values open, and are to be sealed anew."""
    sealed = ring().seal("secret", column=COLUMN, row="7")
    rotated = ring(f"k2:{OTHER},k1:{KEY}")

    assert rotated.open(sealed, column=COLUMN, row="7") == "secret"
    assert rotated.stale(sealed)
    assert not rotated.stale(rotated.seal("secret", column=COLUMN, row="7"))


def test_fingerprint_tells_keys_of_one_id_apart() -> None:
    """The same key has the same fingerprint in any ring; another key has another."""
    assert ring().fingerprint("k1") == ring(f"k2:{OTHER},k1:{KEY}").fingerprint("k1")
    assert ring().fingerprint("k1") != ring(f"k1:{OTHER}").fingerprint("k1")


def test_reports_every_mistake_and_no_value() -> None:
    """Entries are named by their number; what stands in them is not repeated."""
    short = base64.b64encode(b"too short").decode()
    entries = [KEY, f"k1:{KEY}", f"k1:{OTHER}", f"k2:{short}", "k3:!?!?", f"k 4:{KEY}", ""]

    with pytest.raises(ConfigurationError) as caught:
        KeyRing.parse(",".join(entries))

    assert [mistake[: len("entry 1")] for mistake in caught.value.mistakes] == [
        "entry 1",
        "entry 3",
        "entry 4",
        "entry 5",
        "entry 6",
        "entry 7",
    ]
    assert not any(secret in str(caught.value) for secret in (KEY, OTHER, short, "!?!?"))


def test_shows_no_key() -> None:
    """Neither repr nor str of a ring holds a key."""
    shown = f"{ring()!r} {ring()}"

    assert KEY not in shown
    assert repr(base64.b64decode(KEY)) not in shown


def test_generated_key_file_is_private_and_stays(tmp_path: Path) -> None:
    """The first call creates the file with mode 0600, the next reads it; nothing else is left behind."""
    path = tmp_path / "token_keys"
    first = load_or_create(path)

    assert first == load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path] == list(tmp_path.iterdir())


def test_refuses_a_key_file_that_others_can_read(tmp_path: Path) -> None:
    """The operator is told what to do."""
    path = tmp_path / "token_keys"
    load_or_create(path)
    path.chmod(0o640)

    with pytest.raises(StartupError, match="chmod 600"):
        load_or_create(path)


_FINGERPRINT = """
import sys
from pathlib import Path
from bridge.secrets.key_ring import load_or_create
print("ready", flush=True)
sys.stdin.readline()
print(load_or_create(Path(sys.argv[1])).fingerprint("k1"))
"""


async def _fingerprints(path: Path) -> list[bytes]:
    """Return the fingerprints that four processes print which look at the same moment."""
    command = (sys.executable, "-c", _FINGERPRINT, str(path))
    processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(4)]
    for process in processes:
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
    said = await asyncio.gather(*(process.communicate(b"\n") for process in processes))

    return [out for out, _ in said]


def test_processes_at_once_get_one_key(tmp_path: Path) -> None:
    """Whoever creates the file first, all use its key."""
    fingerprints = asyncio.run(_fingerprints(tmp_path / "token_keys"))

    assert len(set(fingerprints)) == 1
    assert b"" not in fingerprints
    assert list(tmp_path.iterdir()) == [tmp_path / "token_keys"]
