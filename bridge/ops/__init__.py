"""Tools for operators: `setup` prepares a Mattermost server, `doctor` finds what is wrong."""
