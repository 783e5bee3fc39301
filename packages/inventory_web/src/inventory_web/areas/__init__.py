"""One folder for each part of the screen; each is a plugin, none imports another."""
