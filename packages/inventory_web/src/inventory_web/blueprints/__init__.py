"""The pages, one package per subject; its plugin offers the blueprints, menu entries and panels."""
