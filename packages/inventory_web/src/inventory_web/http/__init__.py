"""HTTP: the request class, headers, errors, redirects, and what every page shares."""
