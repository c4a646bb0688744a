"""Loading: what a file gives, and how each mistake in it is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hopper_tui.config.load import expand_env, fill, load, validate
from hopper_tui.model.errors import ConfigError
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".hopper.example"


def write(folder: Path, text: str, name: str = "hopper.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    """What is said about a wrong file, without the directory."""
    with pytest.raises(ConfigError) as wrong:
        load(write(folder, text))
    return str(wrong.value).replace(f"{folder}/", "")


# The example directory


@pytest.mark.parametrize(
    "name", ["hopper.yaml", "orchestration_hopper_template.yaml", "global_hopper.yaml"]
)
def test_the_example_loads(name: str) -> None:
    assert load(EXAMPLE / name, {"project_name": "shop"})["scope"]


def test_the_example_project_means_what_it_says() -> None:
    config = load(EXAMPLE / "hopper.yaml", {"project_name": "shop"})
    assert config["instance_id"] == "hopper-shop"
    assert config["memory"]["episodic"]["path"] == ".hopper/shop/history.db"
    assert config["memory"]["consolidated"] is None
    settings = Settings.of(HopperScope.PROJECT, config)
    assert settings.capabilities == ("python", "fastapi", "frontend", "react")
    assert [rule["executor"] for rule in settings.rules[:3]] == ["ci", "human", "manual"]
    assert settings.rules[3]["priority"] == ["urgent", "high"]


def test_a_template_keeps_its_placeholders_until_it_is_filled() -> None:
    children = load(EXAMPLE / "hopper.yaml", {"project_name": "shop"})["child_instances"]
    template = children["template"]
    assert template["instance_id"] == "hopper-{project_name}-run-{run_id}"
    filled = fill(template, {"project_name": "shop", "run_id": "abc123"})
    assert filled["instance_id"] == "hopper-shop-run-abc123"
    assert filled["parent"] == "hopper-shop"
    assert template["parent"] == "hopper-{project_name}"


def test_templates_nest(tmp_path: Path) -> None:
    write(tmp_path, "scope: orchestration\ninstance_id: r-{run_id}", "run.yaml")
    write(tmp_path, "scope: project\nchild_instances: {default_config: run.yaml}", "project.yaml")
    path = write(tmp_path, "scope: global\nchild_instances: {default_config: project.yaml}")
    project = load(path)["child_instances"]["template"]
    run = fill(project, {})["child_instances"]["template"]
    assert fill(run, {"run_id": "7"})["instance_id"] == "r-7"


# Values


def test_only_what_is_written_is_returned(tmp_path: Path) -> None:
    path = write(tmp_path, "scope: PROJECT\npersistence:\nname: 2026-12-24\n")
    assert load(path) == {"scope": "project", "persistence": None, "name": "2026-12-24"}


def test_a_known_placeholder_without_a_value_stays(tmp_path: Path) -> None:
    path = write(tmp_path, "scope: project\ninstance_id: hopper-{project_name}")
    assert load(path)["instance_id"] == "hopper-{project_name}"


def test_rules_in_the_file_come_before_those_in_their_own(tmp_path: Path) -> None:
    rule = "{name: %s, tags: x, executor: ci}"
    write(tmp_path, f"rules:\n  - {rule % 'two'}", "rules.yaml")
    path = write(
        tmp_path,
        f"scope: project\nintelligence:\n  config_file: rules.yaml\n  rules: [{rule % 'one'}]",
    )
    assert [rule["name"] for rule in load(path)["intelligence"]["rules"]] == ["one", "two"]


def test_words_of_rules_are_not_placeholders(tmp_path: Path) -> None:
    rule = 'scope: project\nintelligence: {rules: [{name: r, title: ["{x}"], executor: ci}]}'
    assert load(write(tmp_path, rule))["intelligence"]["rules"][0]["title"] == ["{x}"]


# Mistakes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "scope: project\n\nmax_concurent_tasks: 3",
            "hopper.yaml:3: unknown key 'max_concurent_tasks'. Did you mean max_concurrent_tasks?",
        ),
        (
            "scope: project\nmemory:\n  episodic:\n    bakend: sqlite",
            "hopper.yaml:4: unknown key 'bakend' in memory.episodic. Did you mean backend?",
        ),
        (
            "scope: project\nintegrations:\n  zebra: 1",
            "hopper.yaml:3: unknown key 'zebra' in integrations. Known here: "
            "mcp, github, gitlab, parent_hopper, local_cli, worker_api",
        ),
        (
            "name: x",
            "hopper.yaml:1: the key scope is missing. Add scope: global, project, orchestration",
        ),
        (
            "name: x\nscope: projet",
            "hopper.yaml:2: scope is 'projet', not one of global, project, orchestration. "
            "Did you mean project?",
        ),
        (
            "scope: project\nrouting_engine: rule",
            "hopper.yaml:2: routing_engine is 'rule', "
            "not one of rules, llm, sage, simple_priority. Did you mean rules?",
        ),
        (
            "scope: project\nintelligence: {provider: magic}",
            "hopper.yaml:2: intelligence.provider is 'magic', "
            "not one of rules, llm, sage, simple_priority. "
            "Known here: rules, llm, sage, simple_priority",
        ),
        (
            "scope: project\nmax_concurrent_tasks: 0",
            "hopper.yaml:2: max_concurrent_tasks must be greater than or equal to 1, not 0",
        ),
        (
            "scope: project\nmax_concurrent_tasks: -1",
            "hopper.yaml:2: max_concurrent_tasks must be greater than or equal to 1, not -1",
        ),
        (
            "scope: project\nmax_concurrent_tasks: null",
            "hopper.yaml:2: max_concurrent_tasks must be a valid integer, not null",
        ),
        (
            "scope: project\nmax_concurrent_tasks: '5'",
            "hopper.yaml:2: max_concurrent_tasks must be a valid integer, not '5'",
        ),
        (
            "scope: project\nmax_concurrent_tasks: true",
            "hopper.yaml:2: max_concurrent_tasks must be a valid integer, not true",
        ),
        (
            'scope: project\nauto_delegate: "true"',
            "hopper.yaml:2: auto_delegate must be a valid boolean, not 'true'",
        ),
        (
            "scope: project\norchestration_threshold: high",
            "hopper.yaml:2: orchestration_threshold must be a valid number, not 'high'",
        ),
        (
            "scope: project\ncapabilities: [python, '']",
            "hopper.yaml:2: capabilities[1] must have at least 1 character, not ''",
        ),
        (
            "scope: project\ncapabilities:\n  - python\n  - 3",
            "hopper.yaml:4: capabilities[1] must be a valid string, not 3",
        ),
        (
            "scope: project\npersistence:\n  retention: a while",
            "hopper.yaml:3: persistence.retention must be forever, run_duration or a time such as "
            "1_year or 90_days",
        ),
        (
            "scope: project\ninstance_id: My Shop",
            "hopper.yaml:2: instance_id: an id has only a-z, 0-9 and hyphens, such as my-shop",
        ),
        (
            "scope: project\ninstance_id: hopper-{projct_name}",
            "hopper.yaml:2: unknown placeholder {projct_name} in instance_id. "
            "Did you mean project_name?",
        ),
        (
            "scope: project\nintegrations:\n  github:\n    token: ghp_secret",
            "hopper.yaml:4: integrations.github.token must name an environment variable, "
            "such as ${TOKEN}, not hold the token",
        ),
        (
            "scope: project\nintegrations:\n  github:\n    token: 12345",
            "hopper.yaml:4: integrations.github.token must be a valid string, not what it is",
        ),
        (
            "scope: project\nintelligence:\n  config_file: none.yaml",
            "hopper.yaml:3: intelligence.config_file: there is no file none.yaml. "
            "Write the file none.yaml, or remove the key",
        ),
        (
            "scope: project\nchild_instances:\n  default_config: none.yaml",
            "hopper.yaml:3: child_instances.default_config: there is no file none.yaml. "
            "Write the file none.yaml, or remove the key",
        ),
        (
            "scope: project\nchild_instances:\n  default_config: hopper.yaml",
            "hopper.yaml:3: child_instances.default_config leads back to hopper.yaml",
        ),
        (
            "scope: project\nname: a\nname: b",
            "hopper.yaml:3: the key 'name' is given twice. "
            "It was given first in line 2; keep one",
        ),
        ("scope: project\n1: x", "hopper.yaml:2: the key 1 is not text. Put it into quotes"),
        ("- scope", "hopper.yaml:1: the file is not a mapping of keys. The first key is scope"),
        ("# nothing", "hopper.yaml:1: the file is empty. The first key is scope"),
        (
            "scope: project\nname: [",
            "hopper.yaml:2: not valid YAML: expected the node content, "
            "but found '<stream end>'",
        ),
        (
            "scope: project\nname: a\x07",
            "hopper.yaml:2: not valid YAML: special characters are not allowed",
        ),
        (
            "scope: project\nname: !!python/name:os.system x",
            "hopper.yaml:2: not valid YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/name:os.system'",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text) == said


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("0 2 * *", "a schedule has 5 fields, not 4"),
        ("0 25 * * *", "'25' is no hour (0 to 23)"),
        ("*/0 2 * * *", "'*/0' is no minute (0 to 59)"),
        ("0 2 9-3 * *", "'9-3' is no day of month (1 to 31)"),
        ("0 2 * mai *", "'mai' is no month (1 to 12)"),
    ],
)
def test_a_schedule_is_a_cron_expression(tmp_path: Path, schedule: str, said: str) -> None:
    text = (
        "scope: global\nmemory:\n  consolidated:\n    backend: gitlab\n"
        f"    consolidation_schedule: '{schedule}'"
    )
    key = "memory.consolidated.consolidation_schedule"
    assert refused(tmp_path, text) == f"hopper.yaml:5: {key}: {said}"


@pytest.mark.parametrize(
    "schedule", ["0 2 * * *", "*/15 9-17 * * mon-fri", "0,30 0 1 jan,JUL 7", "5-50/5 * * * 0"]
)
def test_good_schedules_are_taken(schedule: str) -> None:
    consolidated = {"backend": "gitlab", "consolidation_schedule": schedule}
    assert validate({"memory": {"consolidated": consolidated}}, "global")


@pytest.mark.parametrize("retention", ["forever", "run_duration", "1_year", "90_days", "12h"])
def test_good_retentions_are_taken(retention: str) -> None:
    assert validate({"persistence": {"retention": retention}}, "project")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "rules:\n  - name: a\n    keyword: [x]\n    executor: ci",
            "rules.yaml:3: unknown key 'keyword' in rules[0]. Did you mean keywords?",
        ),
        (
            "rules:\n  - name: a\n    tags: x\n    executor: ci\n  - name: b\n    executor: robot",
            "rules.yaml:6: rules[1].executor is 'robot', not one of human, ci, orchestration, "
            "manual. Known here: human, ci, orchestration, manual",
        ),
        (
            "rules:\n  - name: a\n    executor: ci",
            "rules.yaml:2: rules[0] has no condition: "
            "give keywords, tags, priority or capabilities",
        ),
        (
            "rules:\n  - name: a\n    tags: [x]",
            "rules.yaml:2: rules[0] has no effect: give executor, target or set_priority",
        ),
        (
            "rules:\n  - name: a\n    priority: soon\n    executor: ci",
            "rules.yaml:3: rules[0].priority[0] must be one of urgent, high, medium, low",
        ),
        (
            "rules:\n  - name: a\n    tags: [x]\n    executor: ci\n    weight: 0",
            "rules.yaml:5: rules[0].weight must be greater than 0, not 0",
        ),
        (
            "rules: [\n",
            "rules.yaml:2: not valid YAML: expected the node content, but found '<stream end>'",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_the_rules_is_answered_with_its_own_line(
    tmp_path: Path, text: str, said: str
) -> None:
    write(tmp_path, text, "rules.yaml")
    assert refused(tmp_path, "scope: project\nintelligence: {config_file: rules.yaml}") == said


def test_a_mistake_in_a_template_is_found_before_it_is_used(tmp_path: Path) -> None:
    write(tmp_path, "scope: orchestration\nparent: p-{run}", "run.yaml")
    said = refused(tmp_path, "scope: project\nchild_instances: {default_config: run.yaml}")
    assert said == "run.yaml:2: unknown placeholder {run} in parent. Did you mean run_id?"


def test_an_unreadable_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*: Is a directory"):
        load(tmp_path)
    (tmp_path / "x.yaml").write_bytes(b"name: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "x.yaml")


# Inline configuration


def test_inline_keys_need_no_scope() -> None:
    config = {"capabilities": ["python"], "max_concurrent_tasks": 5}
    assert validate(config, HopperScope.PROJECT) == config


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"max_concurrent_tasks": 0}, "max_concurrent_tasks must be greater than or equal to 1"),
        ({"max_concurrent_tasks": None}, "max_concurrent_tasks must be a valid integer, not null"),
        ({"memory": {"episodic": {"backend": "x"}}}, "memory.episodic.backend is 'x', not one of"),
        ({"capabilties": []}, "unknown key 'capabilties'. Did you mean capabilities?"),
        ({"scope": "global"}, "scope is global, but the instance is of scope project"),
        (
            {"child_instances": {"template": {"capabilitys": []}}},
            "unknown key 'capabilitys' in child_instances.template. Did you mean capabilities?",
        ),
        ({"orchestration_threshold": float("nan")}, "orchestration_threshold must be a finite"),
        ([], "a configuration is a mapping of keys"),
    ],
)
def test_an_inline_mistake_names_the_key(config: Any, said: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        validate(config, "project")
    assert str(wrong.value).startswith(said)


def test_a_loaded_configuration_is_valid_inline() -> None:
    config = load(EXAMPLE / "hopper.yaml", {"project_name": "shop"})
    assert validate(config, "project") == config


# Placeholders and the environment


def test_filling_names_what_is_missing() -> None:
    template = {"persistence": {"path": ".hopper/{run_id}.db"}}
    with pytest.raises(ConfigError) as wrong:
        fill(template, {"project_name": "shop"})
    assert str(wrong.value) == "persistence.path: no value for {run_id}. Known here: {project_name}"


def test_the_environment_is_expanded_where_it_is_used() -> None:
    assert expand_env("Bearer ${A}${B}", {"A": "x", "B": "{y}"}) == "Bearer x{y}"
    with pytest.raises(ConfigError, match="environment variable GITHUB_TOKEN is not set"):
        expand_env("${GITHUB_TOKEN}", {})


def test_a_file_keeps_the_names_of_variables_and_can_check_them(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "scope: global\nintegrations:\n  github: {enabled: false, token: '${OFF}'}\n"
        "  gitlab:\n    enabled: true\n    token: ${GITLAB_TOKEN}\n",
    )
    config = load(path, env={"GITLAB_TOKEN": "secret"})
    assert config["integrations"]["gitlab"]["token"] == "${GITLAB_TOKEN}"
    with pytest.raises(ConfigError, match=r"yaml:6: the environment variable GITLAB_TOKEN is not"):
        load(path, env={})
    assert load(path) == config
