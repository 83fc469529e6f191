"""Mattermost's REST API."""
