"""From servers as they are to a source with its replicas: plan, apply, verify; and the planned change of the source."""
