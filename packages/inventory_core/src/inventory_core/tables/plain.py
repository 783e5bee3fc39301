"""The same tables without their classes: operations write rows, not entities, and so cost a fraction."""

from inventory_core.tables import metadata

BALANCE = metadata.tables["balance"]
CATEGORY = metadata.tables["category"]
IMPORT_CHANGE = metadata.tables["import_change"]
LOCATION = metadata.tables["location"]
MOVEMENT = metadata.tables["movement"]
OPERATION = metadata.tables["operation"]
OPERATION_RESULT = metadata.tables["operation_result"]
OUTBOX = metadata.tables["outbox"]
OUTBOX_DEAD_LETTER = metadata.tables["outbox_dead_letter"]
PRODUCT = metadata.tables["product"]
