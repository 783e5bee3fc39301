"""Plan and read queries of products; README.md has the diagram."""
