"""Unified, context and ndiff output, ratios, close matches, opcodes."""

import difflib

before = "apple\nbanana\ncherry\ndate\nelderberry\nfig\ngrape\n".splitlines(keepends=True)
after = "apple\nbananas\ncherry\ncoconut\nelderberry\nfig\n".splitlines(keepends=True)
print(
    "".join(difflib.unified_diff(before, after, "a.txt", "b.txt", "2024-01-01", "2024-01-02", n=1))
)
print("".join(difflib.context_diff(before, after, "a.txt", "b.txt", n=1)))
print("".join(difflib.ndiff(before, after)))
s = difflib.SequenceMatcher(None, "private thread", "private volatile thread")
print(round(s.ratio(), 4), round(s.quick_ratio(), 4), round(s.real_quick_ratio(), 4))
print(s.get_opcodes(), s.find_longest_match(), s.get_matching_blocks())
print(
    difflib.get_close_matches("appel", ["ape", "apple", "peach", "puppy"]),
    difflib.get_close_matches("x", ["y"]),
    difflib.get_close_matches("wheel", ["heel", "wheal", "steel"], n=2, cutoff=0.7),
)
d = difflib.Differ(charjunk=difflib.IS_CHARACTER_JUNK)
print("".join(d.compare(["one two three\n"], ["one  tree\n"])))
print("".join(difflib.restore(difflib.ndiff(["a\n", "b\n"], ["b\n", "c\n"]), 2)))
html = difflib.HtmlDiff(wrapcolumn=20).make_table(["a", "b"], ["a", "c"], "from", "to")
print(len(html), html.count("<td"), "diff_chg" in html, "diff_sub" in html)
print(list(difflib.diff_bytes(difflib.unified_diff, [b"\xff\n"], [b"\xfe\n"], b"x", b"y")))
print(
    difflib.SequenceMatcher(lambda c: c == " ", " abcd", "abcd abcd").find_longest_match(0, 5, 0, 9)
)
