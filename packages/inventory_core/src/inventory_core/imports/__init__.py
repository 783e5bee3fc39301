"""Files to checked rows: reading, headers, rules, and what a row would change."""
