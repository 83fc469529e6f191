"""From a question to its answer: what the agent is asked, and how what it says grows in the thread."""
