"""Authentication and accounts: access control, login, sessions, passwords, second factor, users and roles."""
