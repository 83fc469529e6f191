"""Clients of an organization's agent, one for each kind of server."""

from typing import assert_never

from aiohttp import ClientSession

from bridge.agent import gateway, openai
from bridge.agent.http import Server, make_session
from bridge.agent.waiting import Waiting
from bridge.models.agent import AgentKind
from bridge.ports import Agent

__all__ = ["AgentKind", "make_agent", "make_session"]


def make_agent(  # noqa: PLR0913 - the agent's settings, each by its name
    kind: AgentKind,
    session: ClientSession,
    *,
    url: str,
    token: str,
    agent_id: str,
    model: str,
    timeout: float,
    waiting: Waiting | None = None,
) -> Agent:
    """Return the client of an agent; `timeout` is the silence in seconds after which it is given up.

    While a conversation is `waiting` for people, silence there does not count.
    """
    match kind:
        case "gateway":
            server = Server(session, url=url, token=token, silence=timeout, dialect=gateway.DIALECT)
            return gateway.GatewayAgent(server, agent_id=agent_id, model=model, waiting=waiting)
        case "openai":
            server = Server(session, url=url, token=token, silence=timeout, dialect=openai.DIALECT)
            return openai.OpenAIAgent(server, model=model)
        case _:
            assert_never(kind)
