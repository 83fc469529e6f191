"""The side channel to a gateway: a websocket beside the runs over HTTP, for approvals, questions and stop.

Measured with openclaw 2026.9: a websocket of protocol 4. What is not an approval, a question or an answer to
a call of ours is not even decoded, for every process hears the chats of all organizations there.
"""
