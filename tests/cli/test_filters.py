"""Saved filters: `hopper filter save`, and `@name` wherever a filter is written."""

from __future__ import annotations

from pathlib import Path

from cli.conftest import AddTask, Shell

WORKER = ("--instance", "worker-1")


def titles(shell: Shell, *args: str) -> list[str]:
    """The titles that `hopper list` gives, in order."""
    return [task["title"] for task in shell("list", *WORKER, *args, "--json").json]


def test_a_saved_filter_is_used_by_its_name(guide: Shell, queued: AddTask) -> None:
    queued("Fix login", "-p", "urgent", "-t", "api")
    queued("Fix logout", "-p", "high")
    queued("Write docs", "-t", "api")
    saved = guide("filter", "save", "hot", "priority>=high", "ready")
    assert saved.out == "@hot  priority>=high ready\n"
    assert titles(guide, "@hot") == ["Fix login", "Fix logout"]
    assert titles(guide, "@hot", "tag:api") == ["Fix login"]
    guide("filter", "save", "hot-api", "@hot tag:api")
    assert titles(guide, "@hot-api") == ["Fix login"]
    assert guide("filter").out == "@hot      priority>=high ready\n@hot-api  @hot tag:api\n"
    assert guide("filter", "list", "--json").json[0] == {
        "name": "hot", "filter": "priority>=high ready",
    }  # fmt: skip


def test_saving_again_replaces_and_removing_forgets(guide: Shell) -> None:
    guide("filter", "save", "mine", "owner:me")
    guide("filter", "save", "@mine", "owner:alice")
    assert guide("filter", "list").out == "@mine  owner:alice\n"
    assert guide("filter", "remove", "mine").out == "removed @mine  owner:alice\n"
    nothing = guide("filter", "list")
    assert (nothing.out, nothing.err[:21]) == ("", "no filters are saved.")
    assert "there is no saved filter @mine" in guide("filter", "remove", "mine", check=1).err


def test_what_could_never_be_used_is_not_saved(guide: Shell) -> None:
    for name, text, why in (
        ("two words", "ready", "is no name for a filter"),
        ("mine", " ", "there is no filter to save"),
        ("mine", "colour:red", "there is no field 'colour'"),
        ("mine", "@mine ready", "there is no saved filter @mine"),
    ):
        assert why in guide("filter", "save", name, text, check=1).err
    assert guide("filter", "list").out == ""


def test_they_may_be_edited_by_hand(guide: Shell, queued: AddTask) -> None:
    queued("Fix login", "-t", "api")
    guide("filter", "save", "api", "tag:api")
    file = Path(guide.home, ".hopper", "filters.yaml")
    file.write_text(file.read_text() + 'docs: "tag:docs"\n')
    assert guide("filter", "list", "-q").lines == ["api", "docs"]
    assert titles(guide, "@docs") == []
    file.write_text("api: [tag]\n")
    wrong = guide("list", "@api", check=1).err
    assert "filters.yaml:1: api: ['tag'] is no saved filter" in wrong
    assert titles(guide) == ["Fix login"]
    assert [path.name for path in file.parent.glob("filters.yaml*")] == ["filters.yaml"]


def test_an_unknown_field_is_no_word(guide: Shell, queued: AddTask) -> None:
    queued("Look at foo:bar")
    refused = guide("list", *WORKER, "foo:bar", check=1)
    assert refused.err.startswith("hopper: there is no field 'foo'. Fields are status, priority")
    assert titles(guide, '"foo:bar"') == ["Look at foo:bar"]
