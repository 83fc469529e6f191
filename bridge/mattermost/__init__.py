"""Mattermost as the bridge speaks to it: over REST and over its websocket."""
