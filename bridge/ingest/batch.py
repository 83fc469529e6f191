"""What earlier posts of a batch add to the facts of later ones. Pure: no I/O is imported here."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.models.chat import Post, UserId
from bridge.routing import STOP, Answer, Decision, Facts, Invite, Refuse


@dataclass(slots=True)
class Batch:
    """The posts of a batch that were decided about so far; the database knows nothing of them yet."""

    opened: set[str] = field(default_factory=set)
    """Threads in which the bot answers."""
    stopped: set[str] = field(default_factory=set)
    authors: Mapping[str, set[UserId]] = field(default_factory=lambda: defaultdict(set))
    """By thread."""
    asked: Mapping[UserId, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add_to(self, facts: Facts, post: Post) -> Facts:
        """Return the facts of a post with what the batch adds."""
        return replace(
            facts,
            thread_known=facts.thread_known or post.lane in self.opened,
            thread_stopped=facts.thread_stopped or post.lane in self.stopped,
            thread_shared=facts.thread_shared or bool(self.authors[post.lane] - {post.user_id}),
            asked=(*facts.asked, *self.asked[post.user_id]),
        )

    def note(self, post: Post, facts: Facts, decision: Decision) -> None:
        """Remember a post of `#agent` and what was decided about it."""
        self.authors[post.lane].add(post.user_id)
        match decision:
            case Answer():
                self.opened.add(post.lane)
            case Refuse(reason) if reason == STOP:
                self.stopped.add(post.lane)
        if isinstance(decision, Answer | Invite) and not facts.stored:
            self.asked[post.user_id].append(post.create_at)
