"""The worker: claims jobs from the inbox and gives each to the handler of its kind."""

from bridge.worker.attempt import GiveUp, Handler, Result
from bridge.worker.worker import Worker, WorkerConfig

__all__ = ["GiveUp", "Handler", "Result", "Worker", "WorkerConfig"]
