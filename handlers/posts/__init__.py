"""Posts of the bot and of the notice account: each exactly once, whatever dies or is lost in between."""
