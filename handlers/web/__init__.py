"""What browsers load from the bridge: the messaging page and the web component that it is made of."""
