"""wrap, fill, shorten, dedent, indent, and their options."""

import textwrap

text = (
    "The quick brown fox jumps over the lazy dog. Well-known hyphen-ated words are split, "
    "and a-very-long-chain-of-words as well; supercalifragilisticexpialidocious stays long."
)
for options in (
    {"width": 30},
    {"width": 20, "initial_indent": "* ", "subsequent_indent": "  "},
    {"width": 12, "break_long_words": False},
    {"width": 12, "break_on_hyphens": False},
    {"width": 40, "max_lines": 2},
    {"width": 40, "max_lines": 2, "placeholder": " (more)"},
    {"width": 25, "fix_sentence_endings": True},
):
    print(options)
    print(textwrap.fill(text, **options))
print(
    textwrap.shorten(text, 40),
    "|",
    textwrap.shorten("  hello   world  ", 11),
    "|",
    textwrap.shorten("hello world", 8, placeholder="…"),
)
print(
    textwrap.wrap(""),
    textwrap.wrap("   "),
    textwrap.wrap("a\tb\n\nc", 10, expand_tabs=True, tabsize=4),
)
print(
    textwrap.wrap("a\nb  c", 10, replace_whitespace=False),
    textwrap.wrap("a   b", 10, drop_whitespace=False),
)
block = """
    def f():
        return 1

      # odd
    end
"""
print(
    repr(textwrap.dedent(block)),
    repr(textwrap.dedent("\ta\n\t  b\n")),
    repr(textwrap.dedent(" a\n\tb")),
    repr(textwrap.dedent("  \n  x\n \n")),
)
print(
    repr(textwrap.indent("a\n\nb\n", "> ")),
    repr(textwrap.indent("a\n\nb", "> ", lambda line: True)),
)
for attempt in (
    lambda: textwrap.wrap("a", 0),
    lambda: textwrap.shorten("abc def", 3),
    lambda: textwrap.wrap("abc", 4, max_lines=1, placeholder="too long"),
    lambda: textwrap.dedent(5),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
