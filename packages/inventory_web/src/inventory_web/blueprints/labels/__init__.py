"""Printed labels."""
