"""The journal: events as write-once files that travel in git, and the fold that merges them.

Knows files, clocks and events; no database and no git command. Imports only the model.
"""
