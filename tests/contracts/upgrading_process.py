"""Another process that brings the schema of a database up, as an instance does when it starts."""

import sys

from inventory_core import SingleDatabase
from inventory_web.db.schema import upgrade_all

if __name__ == "__main__":
    sessions = SingleDatabase.from_url(sys.argv[1])
    upgrade_all(sessions.engine)
    sessions.close()
