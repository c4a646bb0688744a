"""Dialogs: what the screen asks before it acts. Loaded when the first one opens."""
