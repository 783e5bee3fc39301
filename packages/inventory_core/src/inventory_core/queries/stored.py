"""The stored tables as the queries read them: plain tables, since answers are rows and not entities."""

from inventory_core.tables import metadata

PRODUCT = metadata.tables["product"]
CATEGORY = metadata.tables["category"]
LOCATION = metadata.tables["location"]
BALANCE = metadata.tables["balance"]
MOVEMENT = metadata.tables["movement"]
