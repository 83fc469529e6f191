"""All errors that the bridge raises on purpose.

BridgeError
├── InvalidRequest               400 invalid_request
├── RequestTimeout               408 request_timeout: the body took too long to arrive
├── NotSignedIn                  401 not_signed_in
│   └── NoBearer                     the same, without a bearer token that is configured
├── NotPermitted                 403 not_permitted: a bearer token that is good for something else
├── NotAMember                   403 not_a_member
├── NotAnAdmin                   403 not_an_admin
├── ForbiddenOrigin              403 forbidden_origin
├── NotFound                     404 not_found
├── TeamNotMapped                404 team_not_mapped
├── ConversationUnknown          404 conversation_unknown
├── AccountConflict              409 account_conflict
│   └── EmailNotAccepted             Mattermost accepts no account with the e-mail address
├── ChannelNotUsable             409 channel_not_usable: missing, archived or closed to us
├── ApprovalEnded                409 approval_ended: it was decided, or is over
├── SyncRefused                  409 sync_refused: it would take too many people out of a team
├── SettingsChanged              412 settings_changed: somebody else has changed them meanwhile
├── PayloadTooLarge              413 payload_too_large
├── UnsupportedMediaType         415 unsupported_media_type
├── VersionRequired              428 version_required: no If-Match says which version is replaced
├── TooManyRequests              429 too_many_requests, with the seconds to wait
├── MattermostNotConfigured      500 mattermost_not_configured
├── Unavailable                  503, trying again may help
│   ├── MattermostUnavailable        mattermost_unavailable
│   │   └── OwnTokenRefused              a token of the bridge is refused: an operator has to replace it
│   ├── EquaUnavailable              equa_unavailable
│   ├── DatabaseUnavailable          database_unavailable
│   ├── AgentUnavailable             agent_unavailable
│   │   └── AnswerInterrupted            after some text: asking again may do things twice
│   └── Busy                         unavailable: another process does the same for too long
├── MattermostFull               507 mattermost_full
├── MattermostRefused            502 mattermost_refused: a 4xx with Mattermost's error id
│   ├── TokenRefused                 mattermost_token_refused: 401, the token is no longer good
│   ├── NameTaken                    mattermost_name_taken: of an account, a team or a channel
│   └── EmailTaken                   mattermost_email_taken: another account has it
├── AgentFailed                  502 agent_failed: the agent answered, and trying again does not help
│   ├── QuestionRefused              this question gets no answer; another one may
│   │   └── ThreadTooLong                nor does any other in this thread
│   └── AgentMisconfigured           somebody has to set it up first
├── NotOpened                    500: a sealed value cannot be opened
│   ├── UnknownKey                   unknown_key: its key is not in the ring
│   └── Damaged                      sealed_value_damaged: changed, or sealed for another place
├── BudgetReached                500 budget_reached: the organization has nothing left for this month
├── LeaseLost                    500 lease_lost: another process has the job now
├── ConfigurationError           exit 2: every mistake listed, no value shown
├── UsageError                   exit 2: an argument of a command is wrong
└── StartupError                 exit 1: a sentence for the operator
"""

from typing import ClassVar


class BridgeError(Exception):
    """An error with a stable code; its message is a sentence that a person may read."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        """Seconds that the other side asked us to wait, if it did."""


class InvalidRequest(BridgeError):
    status, code = 400, "invalid_request"


class NotSignedIn(BridgeError):
    status, code = 401, "not_signed_in"


class NoBearer(NotSignedIn):
    """No acceptable bearer token came with the request."""


class NotPermitted(BridgeError):
    status, code = 403, "not_permitted"


class RequestTimeout(BridgeError):
    status, code = 408, "request_timeout"


class NotAMember(BridgeError):
    status, code = 403, "not_a_member"


class NotAnAdmin(BridgeError):
    status, code = 403, "not_an_admin"


class ForbiddenOrigin(BridgeError):
    status, code = 403, "forbidden_origin"


class NotFound(BridgeError):
    status, code = 404, "not_found"


class TeamNotMapped(BridgeError):
    status, code = 404, "team_not_mapped"


class ConversationUnknown(BridgeError):
    """There is no conversation of this key in the organization."""

    status, code = 404, "conversation_unknown"


class AccountConflict(BridgeError):
    status, code = 409, "account_conflict"


class EmailNotAccepted(AccountConflict):
    """Mattermost accepts no account with this e-mail address."""


class ChannelNotUsable(BridgeError):
    """A channel is missing, archived or closed to us; somebody has to repair it first."""

    status, code = 409, "channel_not_usable"


class ApprovalEnded(BridgeError):
    """Somebody has decided before, or nobody waits for the decision any more."""

    status, code = 409, "approval_ended"


class SyncRefused(BridgeError):
    """A sync would take so many people out of a team that somebody has to look at it first."""

    status, code = 409, "sync_refused"


class SettingsChanged(BridgeError):
    """The settings are not those any more that somebody has seen and wants to replace."""

    status, code = 412, "settings_changed"


class PayloadTooLarge(BridgeError):
    status, code = 413, "payload_too_large"


class UnsupportedMediaType(BridgeError):
    status, code = 415, "unsupported_media_type"


class VersionRequired(BridgeError):
    """The request does not say which version of something it replaces."""

    status, code = 428, "version_required"


class TooManyRequests(BridgeError):
    status, code = 429, "too_many_requests"


class MattermostNotConfigured(BridgeError):
    status, code = 500, "mattermost_not_configured"


class Unavailable(BridgeError):
    """Somebody outside is away or overloaded; trying again may help."""

    status, code = 503, "unavailable"
    retryable = True


class MattermostUnavailable(Unavailable):
    code = "mattermost_unavailable"
    may_be_done = True
    """Whether the server may have carried out, or may still carry out, what it was asked."""


class OwnTokenRefused(MattermostUnavailable):
    """Mattermost refuses a token of the bridge; the log and `/readyz` say so, people hear a sentence."""

    def __init__(self) -> None:
        super().__init__(
            "Messaging is not available at the moment: the people who run it have to repair something."
            " Please try again later.",
            retry_after=60,
        )


class EquaUnavailable(Unavailable):
    code = "equa_unavailable"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"


class AgentUnavailable(Unavailable):
    code = "agent_unavailable"


class AnswerInterrupted(AgentUnavailable):
    """The answer broke off after some text; asking again may do a second time what the agent has done."""


class Busy(Unavailable):
    """Somebody else holds a lock for too long."""

    def __init__(self) -> None:
        super().__init__("Somebody else has been at this for too long; please try again.", retry_after=2)


class MattermostFull(BridgeError):
    status, code = 507, "mattermost_full"


class MattermostRefused(BridgeError):
    """Mattermost understood and said no."""

    status, code = 502, "mattermost_refused"

    def __init__(self, message: str, *, http_status: int, error_id: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.http_status = http_status
        self.error_id = error_id
        """Mattermost's own name of the error, e.g. `api.post.create_post.root_id.app_error`."""
        self.request_id = request_id


class TokenRefused(MattermostRefused):
    code = "mattermost_token_refused"


class NameTaken(MattermostRefused):
    """Another account, team or channel has the name, possibly an archived one, or it is reserved."""

    code = "mattermost_name_taken"


class EmailTaken(MattermostRefused):
    code = "mattermost_email_taken"


class AgentFailed(BridgeError):
    """The agent sent something other than an answer; asking again does not help."""

    status, code = 502, "agent_failed"


class QuestionRefused(AgentFailed):
    """The agent does not answer this question: its content, or its length."""


class ThreadTooLong(QuestionRefused):
    """The question and its thread are longer than the agent's model can read."""


class AgentMisconfigured(AgentFailed):
    """The agent answers nobody until somebody sets up its address, its token, its model or its plan."""


class NotOpened(BridgeError):
    """A sealed value cannot be opened."""

    code = "sealed_value_not_opened"


class UnknownKey(NotOpened):
    code = "unknown_key"


class Damaged(NotOpened):
    code = "sealed_value_damaged"


class BudgetReached(BridgeError):
    """An organization's budget is used up; the message says until when."""

    code = "budget_reached"


class LeaseLost(BridgeError):
    """Another process has the job now; whatever this one was doing must stop."""

    code = "lease_lost"

    def __init__(self) -> None:
        super().__init__("Another process has the job now.")


class ConfigurationError(BridgeError):
    """Mistakes in the variables: names and reasons, never values."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class UsageError(BridgeError):
    """An argument of a command is wrong."""


class StartupError(BridgeError):
    """The daemon cannot start; its message says what the operator can do."""
