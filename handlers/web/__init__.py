"""What browsers load from the bridge: the pages and the web components that they are made of."""
