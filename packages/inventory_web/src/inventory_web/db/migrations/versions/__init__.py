"""Migrations of the web's own tables; run through ``inventory_web.db.schema``."""
