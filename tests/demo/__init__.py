"""The demo: its sample world, its play, and what the README promises about it."""
