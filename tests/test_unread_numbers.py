"""Limits of a stack that no stack reads, by a slip in the file's name: a preview warns of them."""

from pathlib import Path

from components.program import unread_numbers


def test_a_file_whose_name_is_that_of_no_stack_is_named(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        (tmp_path / name).touch()
    good = ["api.yml", "limits.prod.yml", "limits.sandbox.yml", "limits.new.yml"]
    wrong = ["limits.prod.yaml", "limits.prodd.yml", "limits.yml"]
    for name in (*good, *wrong):
        (tmp_path / name).touch()
    found = unread_numbers("new", folder=tmp_path, project=tmp_path / "Pulumi.yaml")
    assert [line.partition(" is read by no stack: ")[0] for line in found] == [f"rules/{name}" for name in wrong]


def test_this_checkout_has_none() -> None:
    assert unread_numbers("prod") == []
