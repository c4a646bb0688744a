"""The headless engine: the Hopper class and the World of hoppers it lives in.

Imports no door (click, textual, rich, a server); doors import it.
"""
