"""Why a parser gives up. Pure: no I/O is imported here."""

from bridge.documents.results import Failure


class Unreadable(Exception):
    """The file cannot be read, and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure
