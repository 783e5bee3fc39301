"""Pure decisions of the replication package: values in, decision out."""
