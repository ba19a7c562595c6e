"""Fields of core metadata, as wheels have them."""

from __future__ import annotations

from eryx.packages._metadata import parse_fields


class TestFields:
    def test_a_licence_with_paragraphs_does_not_end_them(self) -> None:
        """A line of spaces belongs to the field before it; the wheel of matplotlib has such."""
        text = (
            "Name: ham\nLicense: one\n         \n         two\nRequires-Dist: eggs\n\nName: body\n"
        )
        assert parse_fields(text) == {
            "name": ["ham"],
            "license": ["one\n\ntwo"],
            "requires-dist": ["eggs"],
        }
