"""Files of a question reach the agent: what people see, and what the agent is asked."""

import asyncio

from asyncpg import Pool

from bridge.db.job_history import JobHistory
from bridge.models.chat import PostId
from bridge.sandbox.mattermost import Post
from tests.support import documents
from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts

TABLE = b"Holder,Shares\nAda,100\nGrace,200\n"


def ask_about(
    hosts: Hosts, company: Company, text: str, *files: tuple[str, bytes], root_id: str = ""
) -> Post:
    """Post a question with files."""
    person = company.people[0]
    ids = [hosts.store.upload_as(person, company.agent, name, data).id for name, data in files]
    return hosts.store.post_as(person, company.agent, text, root_id=root_id, file_ids=ids)


async def test_what_does_the_attached_csv_say(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """The agent gets the table with the question, in its fence, and answers from it."""
    question = ask_about(hosts, acme, "@equabot what does the attached CSV say?", ("table.csv", TABLE))

    await hosts.answered(question)

    (answer,) = hosts.answers(question)
    assert 'The document "table.csv" has 3 lines.' in answer.message
    assert "Grace,200" in answer.message
    text = hosts.agent.calls[-1].text
    assert text.startswith(
        'what does the attached CSV say?\n\n[Attached document "table.csv", 31 characters.'
    )


async def test_what_cannot_be_read_is_said(hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool) -> None:
    """In the thread by its name, before the answer, and kept for `why`; the rest is read and shown."""
    question = ask_about(
        hosts,
        acme,
        "@equabot look at these",
        ("photo.png", documents.picture()),
        ("@all.zip", b"PK"),
        ("report.docx", documents.word("Hello")),
        ("broken.pdf", b"no pdf"),
    )

    await hosts.answered(question)

    remark, answer = hosts.replies(question)
    assert remark.message == (
        "I could not read everything that is attached:\n"
        "* @\u200ball\\.zip: I read text, PDF, Word, Excel and PowerPoint files, and pictures.\n"
        "* broken\\.pdf: it is damaged, or is not what its name says."
    )
    assert 'The document "report.docx"' in answer.message
    content = hosts.agent.calls[-1].messages[-1]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert 'Attached file "@all.zip" could not be read' in content[0]["text"]
    async with asyncio.timeout(60):
        while (record := await JobHistory(pool).record(PostId(question.id))) is None or not record.result:
            await asyncio.sleep(0.02)
    assert record.result["unread"] == ['"@all.zip": unsupported', '"broken.pdf": broken']


async def test_a_file_that_is_only_named_is_not_fetched(
    hosts: Hosts, acme: Company, borealis: Company, daemon: Daemon
) -> None:
    """Neither by its id in a post's files, nor in its props: it belongs to somebody else."""
    stranger = borealis.people[0]
    secret = hosts.store.upload_as(stranger, borealis.agent, "secret.txt", b"the secret of Borealis")
    hosts.store.post_as(stranger, borealis.agent, "ours", file_ids=[secret.id])
    forged = {"file_ids": [secret.id], "metadata": {"files": [{"id": secret.id, "name": "secret.txt"}]}}

    question = hosts.store.post_as(
        acme.people[0], acme.agent, "@equabot read it", file_ids=[secret.id], props=forged, metadata=forged
    )
    await hosts.answered(question)

    assert "secret" not in str(hosts.agent.calls[-1].body)


async def test_a_follow_up_may_be_a_file_alone(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """In a thread that the bot answers in."""
    question = hosts.ask(acme, "@equabot hello")
    await hosts.answered(question)

    followed = ask_about(hosts, acme, "", ("table.csv", TABLE), root_id=question.id)
    await hosts.answered(followed)

    assert "Ada,100" in hosts.answers(followed)[0].message
