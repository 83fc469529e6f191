"""Make Mattermost match Equa; every function is safe to repeat."""
