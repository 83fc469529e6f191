"""Files during the storm: people attach them to questions, and the agent sends some, each of them twice."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

import aiohttp

from bridge.sandbox.mattermost import Post
from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts

TOKEN = "the-first-peers-token"


@dataclass
class FileStream:
    hosts: Hosts
    daemons: Sequence[Daemon]
    files: int
    """How many go each way."""
    attached: list[str] = field(default_factory=list)
    """What stands in the files that people attached."""
    sent: dict[str, Post] = field(default_factory=dict)
    """The questions to whose threads the agent has sent a file, by its name."""

    async def exchange(self, seconds: float) -> None:
        """Exchange all files, spread over so many seconds."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
            asyncio.TaskGroup() as group,
        ):
            for number in range(self.files):
                company = self.hosts.companies[number % len(self.hosts.companies)]
                question = self._attached(company, number)
                group.create_task(self._send_twice(http, company, question, f"report-{number}.csv"))
                await asyncio.sleep(seconds / self.files)

    def is_over(self) -> bool:
        return not self.count()[0]

    def count(self) -> tuple[int, int]:
        """Return how many files have not arrived, and how often one stands in its thread once more."""
        heard = "\n".join(call.text for call in self.hosts.agent.calls if "document" in call.text)
        unread = sum(content not in heard for content in self.attached)
        there = [self._posted(name, question) for name, question in self.sent.items()]
        return unread + self.files - len(there) + there.count(0), sum(max(0, each - 1) for each in there)

    def _attached(self, company: Company, number: int) -> Post:
        store, user = self.hosts.store, company.people[number % 2]
        content = f"holder-{number},shares"
        self.attached.append(content)
        file = store.upload_as(user, company.agent, "table.csv", content.encode())
        text = "@equabot what does the file say?"
        return store.post_as(user, company.agent, text, file_ids=[file.id])

    async def _send_twice(
        self, http: aiohttp.ClientSession, company: Company, question: Post, name: str
    ) -> None:
        """Send a file again until it is accepted, and then once more, wherever that arrives."""
        conversation = f"mattermost:{company.id}:{company.agent.id}:{question.id}"
        accepted = 0
        for daemon in cycle(self.daemons):
            accepted += await self._accepted(http, daemon, conversation, name)
            if accepted == 2:
                break
            await asyncio.sleep(0.2)
        self.sent[name] = question

    async def _accepted(
        self, http: aiohttp.ClientSession, daemon: Daemon, conversation: str, name: str
    ) -> bool:
        form = aiohttp.FormData()
        form.add_field("conversation", conversation)
        form.add_field("file", b"a,b", filename=name)
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": name}
        url = f"{daemon.url}/api/v1/mattermost/files"
        try:
            async with http.post(url, data=form, headers=headers) as response:
                # The question may not be stored yet.
                assert response.status in {202, 404, 503}, await response.text()
                return response.status == 202
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _posted(self, name: str, question: Post) -> int:
        names = Counter(
            file.name
            for post in self.hosts.store.thread(question.id)
            if post.user_id == self.hosts.bot.id
            for file in post.files
        )
        return names[name]
