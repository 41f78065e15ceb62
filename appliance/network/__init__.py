"""What the box knows of the network around it."""
