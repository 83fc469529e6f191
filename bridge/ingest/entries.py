"""What is put into the inbox about a post. Pure: no I/O is imported here."""

from bridge.models.agent_questions import question_lane
from bridge.models.chat import Post, Posted
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, Hint, HintPost, JobKind, Mention
from bridge.reasons import Reason
from bridge.routing import HOUR, OLDEST, Facts


def job_entry(kind: JobKind, posted: Posted, facts: Facts) -> Entry:
    """Return the job of a post that is to be answered."""
    post = posted.post
    mention = Mention(
        post_id=post.id,
        channel_id=post.channel_id,
        thread=posted.thread,
        user_id=post.user_id,
        person_id=facts.person_id,
        message=post.message,
        create_at=post.create_at,
        has_files=bool(post.file_ids),
    )
    return Entry(kind, posted.lane, facts.organization_id, f"post:{post.id}", mention.payload())


def answer_entry(question: str, posted: Posted, facts: Facts) -> Entry:
    """Return the job that hands a post to the agent as the answer to its question."""
    asked = job_entry("agent_answer", posted, facts)
    payload = {**asked.payload, "agent_question": question}
    return Entry(asked.kind, question_lane(question), asked.organization_id, asked.dedupe, payload)


def refusal_entry(reason: Reason, posted: Posted, facts: Facts) -> Entry:
    """Return the record of a post that is not answered; its text is not kept."""
    post = posted.post
    payload = {"user_id": post.user_id, "create_at": post.create_at}
    kind: JobKind = "mention" if posted.team_id else "direct"
    return Entry(kind, posted.lane, facts.organization_id, f"post:{post.id}", payload, refused=reason)


def hint_entry(
    hint: Hint, posted: Posted, organization: OrganizationId | None, kind: JobKind = "hint"
) -> Entry:
    """Return the job that says a sentence to the author of a post.

    The bot says it where an answer would stand, the notice account in the post's thread. Its lane is its own:
    what waits in the thread must not hold it up.
    """
    post = posted.post
    thread = posted.thread if kind == "hint" else post.thread
    payload = HintPost(hint, post.id, post.channel_id, thread).payload()
    return Entry(kind, f"{kind}:{post.id}", organization, f"{kind}:{_once(hint, post)}", payload)


def _once(hint: Hint, post: Post) -> str:
    """Return the key of what is said once: to a person in an hour or a day of Mattermost's clock, or ever."""
    match hint:
        case "limit":
            return f"limit:{post.user_id}:{post.create_at // HOUR}"
        case "elsewhere" | "notices" | "notices_here":
            return f"{hint}:{post.user_id}:{post.create_at // OLDEST}"
        case "stopped":
            return f"stopped:{post.id}"
        case "group":
            return f"group:{post.channel_id}"
