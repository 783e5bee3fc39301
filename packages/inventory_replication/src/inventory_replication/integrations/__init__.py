"""Leaf modules that join the cluster to a framework; nothing else imports them."""
