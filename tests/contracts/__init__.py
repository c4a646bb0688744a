"""Promises about the shape of the package: who imports whom, what is loaded, what is shipped."""
