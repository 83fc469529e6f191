"""The doctor's question to the agent, which `--ask` asks: it costs an answer of a model."""

import time
import uuid
from collections.abc import Sequence

from bridge.agent.collect import collect
from bridge.errors import AgentFailed, AgentUnavailable, BridgeError
from bridge.models.agent import Question
from bridge.models.chat import ChannelId, PostId
from bridge.models.equa import OrganizationId, PersonId
from bridge.ops.doctor.checks import Check
from bridge.ops.doctor.context import Context
from bridge.ops.doctor.stored import StoreChecks
from bridge.ops.findings import Finding
from bridge.ports import Agent
from bridge.runtime.clients import agent_of
from bridge.text.visible import visible

SUBJECT = "agent's answer"
WORDS = "This is a test of the connection. Please use no tools, and answer with one word: ready."

_NOBODY = uuid.UUID(int=0)
_SHOWN = 100
"""Characters of an answer that are shown."""
_NEXT_STEP = "see AGENT_URL, AGENT_TOKEN, AGENT_MODEL and AGENT_ID, and the log of the agent's server"


def checks(context: Context) -> list[Check]:
    settings = context.settings
    if not context.ask or not settings.agent_url:
        return []
    agent = agent_of(settings, settings.agent_url, context.session)

    async def look() -> Sequence[Finding]:
        return await ask(agent, await _first_organization(context))

    return [Check(SUBJECT, look, "see the agent's server", deadline=settings.agent_timeout + context.seconds)]


async def _first_organization(context: Context) -> OrganizationId | None:
    """Return an organization to ask for; None while none has a team, or the database is away."""
    if context.dsn is None:
        return None
    try:
        teams = await StoreChecks(context.dsn).teams()
    except BridgeError:
        return None
    return teams[0].organization_id if teams else None


async def ask(agent: Agent, organization: OrganizationId | None) -> Sequence[Finding]:
    """Ask for an organization, the way the daemon does; report what came and how long it took."""
    began = time.monotonic()
    try:
        answer = (await collect(agent.answer(_question(organization)))).text
    except (AgentFailed, AgentUnavailable) as error:
        said = "; ".join(getattr(error, "__notes__", []))
        after = f"after {time.monotonic() - began:.1f} s"
        return [
            Finding(
                SUBJECT, "bad", f"{after}: {error.message}{f' It said: {said}' if said else ''}", _NEXT_STEP
            )
        ]
    seconds = f"came after {time.monotonic() - began:.1f} s"
    seen = visible(answer)
    if not seen.text:
        return [Finding(SUBJECT, "warning", f"{seconds} with nothing that people may see", _NEXT_STEP)]
    return [Finding(SUBJECT, "good", f"{seconds}: {_short(seen.text)}")]


def _question(organization: OrganizationId | None) -> Question:
    """Return a question of a thread of its own, so that no conversation of people remembers it."""
    here = uuid.uuid4().hex[:26]
    return Question(
        organization_id=organization or OrganizationId(_NOBODY),
        person_id=PersonId(_NOBODY),
        channel_id=ChannelId("doctor"),
        thread=PostId(here),
        post_id=PostId(here),
        text=WORDS,
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
