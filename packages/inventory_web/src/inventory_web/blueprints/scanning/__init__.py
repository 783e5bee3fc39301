"""Scanning of codes."""
