"""The pages, one package for each subject; each has a plugin that offers its blueprints, menu entries and panels."""
