"""The checks behind ``verify``, one module for each kind of promise."""
