"""The reference and the canonicaliser share what they start from, and nothing that this does not list."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
REFERENCE = ("transforms/reference",)
CANONICALISER = ("transforms/canonical", "transforms/rebuild")

#: Modules that both sides import. Each stands in docs/evidence.md with what guards it.
SHARED = {
    "transforms.architecture.attention",
    "transforms.architecture.dtype_policy",
    "transforms.architecture.function_signatures",
    "transforms.architecture.graph",
    "transforms.legacy.release",
    "transforms.records.expression",
    "transforms.records.runtime",
}


def _imported(*folders: str) -> set[str]:
    """Modules of `transforms` that the files of these folders import."""
    return {
        node.module
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("transforms.")
    }


def test_what_both_sides_import_is_known() -> None:
    assert _imported(*REFERENCE) & _imported(*CANONICALISER) == SHARED


def test_the_reference_imports_what_is_shared_and_nothing_else() -> None:
    others = {module for module in _imported(*REFERENCE) if not module.startswith("transforms.reference")}
    assert others == SHARED


def test_the_documents_name_all_of_it() -> None:
    page = (ROOT / "docs" / "evidence.md").read_text("utf-8")
    assert {module for module in SHARED if f"`{module}`" not in page} == set()
