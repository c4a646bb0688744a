"""Configuring: what the files and its own settings together mean for a hopper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hopper_tui.model.errors import ConfigError
from hopper_tui.model.lifecycle import HopperScope

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.settings import Settings

GLOBAL_ID = "hopper-global"
"""The id of a global hopper that is made automatically (addendum, `Hopper.global_instance`)."""


class Configurations:
    """The configurations of the hoppers of a world. Those of orchestrations, which workers ask for
    at each task, are read once for each state of theirs and of their run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._settings: dict[str, tuple[Instance, Instance | None, Settings]] = {}

    def settings(self, instance: Instance) -> Settings:
        """What an instance's configuration file and its own settings together mean."""
        if instance.scope is not HopperScope.ORCHESTRATION:
            return self._read_settings(instance)
        known = self._settings.get(instance.id)
        run = known[1] if known is not None else None
        if known is None or known[0] is not instance or (run and run is not self._run_of(instance)):
            made = self._read_settings(instance)
            known = self._settings[instance.id] = (instance, self._run_of(instance), made)
        return known[2]

    def _read_settings(self, instance: Instance) -> Settings:
        from hopper_tui.model.settings import Settings

        return Settings.of(instance.scope, self.full(instance))

    def _run_of(self, phase: Instance) -> Instance | None:
        """The run that an orchestration is a phase of, which is in the same store."""
        return self._world.store(phase.id).instance(phase.parent) if phase.parent else None

    def full(self, instance: Instance) -> dict[str, Any]:
        """The configuration file of an instance, or that of the run of a phase, overlaid by what
        was set on the instance."""
        filed: Mapping[str, Any] = {}
        if instance.scope is HopperScope.GLOBAL:
            filed = self._world.places.home_config()
        elif instance.scope is HopperScope.PROJECT:
            project = self._world.places.project(instance.id)
            if project is not None and project.root is not None:
                filed = self._world.places.file_config(project.root)
        elif (run := self._run_of(instance)) is not None:
            filed = run.config
        check_identity(self._world, filed, instance)
        return overlay(filed, instance.config)


def check_identity(world: World, filed: Mapping[str, Any], instance: Instance) -> None:
    """Raise ConfigError when a configuration file is about another hopper than it is for."""
    scope, parent = filed.get("scope"), filed.get("parent")
    if scope not in (None, instance.scope):
        raise ConfigError(
            f"the configuration of {instance.name} says scope: {scope}",
            f"Write scope: {instance.scope}",
        )
    if parent not in (None, GLOBAL_ID) and parent != world.global_id:
        raise ConfigError(
            f"the parent {parent!r} of {instance.name} is not known here",
            f"The global hopper is {world.global_id or GLOBAL_ID}",
        )


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two configurations as one: sections are merged, other values of `above` win."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[name] = overlay(under, value)
        else:
            merged[name] = value
    return merged
