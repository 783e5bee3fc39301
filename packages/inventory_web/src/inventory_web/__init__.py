"""The inventory in the browser and on the command line."""
