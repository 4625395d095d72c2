"""The table of the public API says what is so, and Keras's names are here."""

from __future__ import annotations

from docs.make_api_table import ROOT, compare, counted, page


def test_the_table_is_up_to_date() -> None:
    written = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert written == page(), "run python -m docs.make_api_table"


def test_nearly_all_names_have_the_same_signature() -> None:
    total, _, same = counted(compare())
    assert same >= 0.95 * total
