"""From the websocket to the inbox: every question stored once, whatever was missed."""
