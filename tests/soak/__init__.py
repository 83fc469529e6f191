"""An hour of mixed load with kills: nothing lost or double, memory flat, no file descriptor more."""
