"""Everything that touches the world: listeners, network, store, web, and the daemon that ties them together."""
