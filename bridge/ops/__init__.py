"""What the operator's commands do: `setup` prepares a Mattermost server, `doctor` finds what is wrong."""
