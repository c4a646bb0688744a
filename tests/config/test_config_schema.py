"""HopperConfig: configuration made in Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from hopper_tui.config.schema import HopperConfig
from hopper_tui.model.errors import ConfigError
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.settings import Settings


def test_only_what_was_given_is_plain() -> None:
    assert HopperConfig(capabilities=["python"]).plain() == {"capabilities": ["python"]}


def test_the_defaults_are_the_guides() -> None:
    config = HopperConfig()
    assert config.max_concurrent_tasks == 10
    assert config.orchestration_threshold == 3
    assert config.routing_engine == "rules"
    assert config.auto_delegate is True


def test_each_scope_has_its_defaults() -> None:
    found = {
        config.scope: (
            config.intelligence and config.intelligence.provider,
            config.persistence and (config.persistence.storage, config.persistence.retention),
        )
        for config in (
            HopperConfig.for_global(),
            HopperConfig.for_project(),
            HopperConfig.for_orchestration(),
        )
    }
    assert found == {
        "global": ("llm", ("postgresql", "forever")),
        "project": ("rules", ("sqlite", "1_year")),
        "orchestration": ("simple_priority", ("memory", "run_duration")),
    }


@pytest.mark.parametrize("scope", HopperScope)
def test_settings_understand_the_defaults(scope: HopperScope) -> None:
    plain = getattr(HopperConfig, f"for_{scope}")().plain()
    assert HopperConfig(**plain).plain() == plain
    assert Settings.of(scope, plain).auto_create


def test_a_wrong_key_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="unknown key 'capabilitys'"):
        HopperConfig(capabilitys=[])
    with pytest.raises(ConfigError, match="max_concurrent_tasks must be greater"):
        HopperConfig(max_concurrent_tasks=0)


def test_it_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "project_hopper_template.yaml"
    path.write_text("scope: project\ninstance_id: hopper-{project_name}\n")
    assert HopperConfig.from_yaml(path, project_name="sark").instance_id == "hopper-sark"
    assert HopperConfig.from_yaml(str(path)).instance_id == "hopper-{project_name}"
