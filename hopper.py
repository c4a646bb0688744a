"""The seeds' import name: `from hopper import Hopper, HopperScope, HopperConfig`."""
