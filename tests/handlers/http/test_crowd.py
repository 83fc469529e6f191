"""People and the addresses that they come from are counted, for operators who forgot a proxy's header."""

from bridge.sandbox import demo_data
from handlers.http.crowd import MOST, Crowd
from tests.support.front import CONFIG, front


async def test_people_and_addresses_are_in_the_metrics(dsn: str) -> None:
    """Each counted once, whatever else a request has; nobody who is not signed in is counted."""
    async with front(dsn) as door:
        ada, ben = door.cookie(), door.cookie(demo_data.BEN)
        asked = [
            (ada, "1.1.1.1"),
            (ada, "2.2.2.2"),
            (ben, "2.2.2.2"),
            (f"{ben}; x=1", "2.2.2.2"),
            ("", "3.3.3.3"),
        ]
        for cookie, address in asked:
            await door.client.get(CONFIG, headers={"Cookie": cookie, "X-Forwarded-For": address})
        text = await (await door.client.get("/metrics")).text()

    assert 'equabot_bridge_visitors{of="people"} 2.0' in text
    assert 'equabot_bridge_visitors{of="addresses"} 2.0' in text


def test_a_crowd_has_an_end() -> None:
    """What is remembered does not grow with what strangers send."""
    crowd = Crowd()
    counts = [crowd.note(number, f"192.0.2.{number}") for number in range(MOST + 10)]

    assert counts[-1] == (MOST, MOST)


def test_requests_without_an_address_have_one() -> None:
    """They are what this is about."""
    crowd = Crowd()

    assert [crowd.note(person, None) for person in range(3)][-1] == (3, 1)
