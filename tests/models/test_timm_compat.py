"""Paths of the import that do not need timm."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest
import torch

from hyq_hls.models import timm_compat

Outcomes = dict[str, list[ModuleType | Exception]]


@pytest.fixture
def imports(monkeypatch: pytest.MonkeyPatch) -> Outcomes:
    """What each import does: modules or exceptions, in order."""
    outcomes: Outcomes = {"torchvision": [], "timm": []}

    def import_module(name: str) -> ModuleType:
        outcome = outcomes[name].pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(timm_compat, "_declared", [])
    return outcomes


@pytest.fixture
def defined(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Schemas that were declared, in place of the real registry."""
    schemas: list[str] = []

    class Library:
        def __init__(self, name: str, kind: str) -> None:
            assert (name, kind) == ("torchvision", "FRAGMENT")

        def define(self, schema: str) -> None:
            schemas.append(schema)

    monkeypatch.setattr(torch.library, "Library", Library)
    return schemas


MODULE = ModuleType("module")
NO_OPERATOR = RuntimeError("operator torchvision::nms does not exist")


def test_working_torchvision_is_left_alone(imports: Outcomes, defined: list[str]) -> None:
    imports["torchvision"] = [MODULE]
    assert timm_compat.ensure_torchvision() == "native"
    assert not defined


def test_missing_operators_are_declared_once(
    imports: Outcomes, defined: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.half_imported", MODULE)
    imports["torchvision"] = [NO_OPERATOR, MODULE, MODULE]
    assert timm_compat.ensure_torchvision() == "shimmed"
    assert [schema.split("(")[0] for schema in defined] == ["nms", "qnms"]
    assert "torchvision.half_imported" not in sys.modules
    assert timm_compat.ensure_torchvision() == "shimmed"
    assert len(defined) == 2


@pytest.mark.parametrize(
    "outcomes",
    [
        [ModuleNotFoundError("No module named 'torchvision'")],
        [RuntimeError("something else")],
        [NO_OPERATOR, RuntimeError("operator torchvision::other does not exist")],
    ],
)
def test_torchvision_that_cannot_be_helped_names_the_extra(
    imports: Outcomes, defined: list[str], outcomes: list[ModuleType | Exception]
) -> None:
    imports["torchvision"] = outcomes
    with pytest.raises(ImportError, match=r'pip install "hyq_hls\[timm\]"') as caught:
        timm_compat.import_timm()
    assert str(caught.value.__cause__) in str(caught.value)


def test_missing_timm_names_the_extra(imports: Outcomes) -> None:
    imports["torchvision"] = [MODULE]
    imports["timm"] = [ModuleNotFoundError("No module named 'timm'")]
    with pytest.raises(ImportError, match=r"No module named 'timm'.*hyq_hls\[timm\]"):
        timm_compat.import_timm()
    imports["torchvision"], imports["timm"] = [MODULE], [MODULE]
    assert timm_compat.import_timm() is MODULE
