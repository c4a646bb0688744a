"""Journals in real git repositories, with the real command."""
