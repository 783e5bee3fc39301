"""The audit trail: events of accounts, logins and data, and the page that shows them."""
