"""What an operator is helped with: making a Mattermost ready, and finding out what is wrong."""
