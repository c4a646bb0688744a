"""The command line, run as it is installed: bytes and exit codes."""
