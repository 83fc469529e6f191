"""Mattermost's websocket as a stream of events."""
