"""The bot's own sentences in a thread, which are no answers of the agent. Pure: no I/O is imported here."""

from bridge.errors import AgentMisconfigured, QuestionRefused, ThreadTooLong

SORRY = "Sorry, I could not get an answer this time. Please ask again in a few minutes."
ANOTHER_QUESTION = "Sorry, I cannot answer this question. Please ask it in other words."
SHORTER_QUESTION = "Sorry, this question is too long for me. Please ask a shorter one."
NEW_THREAD = (
    "Sorry, this thread has become too long for me. Please start a new one: ask in the channel, not in this"
    " thread."
)
LONG_CONVERSATION = (
    "Sorry, this conversation has become too long for me. Please write “new” to begin another one."
)
ASK_ADMINISTRATOR = (
    "Sorry, I cannot answer anybody at the moment. Please tell your administrator: my connection to the agent"
    " needs to be set up."
)
STOPPED = "(stopped)"
INTERRUPTED = "(interrupted)"
HOW_TO_GET_IN = (
    "I answer members who came in through Equa: open Messaging there once, then ask me here again."
)

BEGUN_ANEW = "A new conversation begins here. I no longer look at what was said before."

APOLOGIES = frozenset(
    {SORRY, ANOTHER_QUESTION, SHORTER_QUESTION, NEW_THREAD, LONG_CONVERSATION, ASK_ADMINISTRATOR}
)
REMARKS = APOLOGIES | {HOW_TO_GET_IN, STOPPED, BEGUN_ANEW}


def apology(error: Exception, *, opens_thread: bool, is_direct: bool = False) -> str:
    """Return what to say when no answer will come: who can do what about it."""
    match error:
        case ThreadTooLong() if is_direct:
            return LONG_CONVERSATION
        case ThreadTooLong():
            return SHORTER_QUESTION if opens_thread else NEW_THREAD
        case QuestionRefused():
            return ANOTHER_QUESTION
        case AgentMisconfigured():
            return ASK_ADMINISTRATOR
        case _:
            return SORRY
