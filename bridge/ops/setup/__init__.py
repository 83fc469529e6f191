"""`setup`: prepares a Mattermost server."""
