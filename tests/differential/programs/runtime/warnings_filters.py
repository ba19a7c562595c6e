"""warnings: what is shown by default, filters, errors, records, deprecated()."""

import warnings


def old():
    warnings.warn("old() is old", DeprecationWarning, stacklevel=2)


old()
warnings.warn("plain")
for _ in range(3):
    warnings.warn("once from here", RuntimeWarning)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    old()
    warnings.warn("x", UserWarning)
    print([(w.category.__name__, str(w.message), w.lineno, w.filename) for w in caught])
with warnings.catch_warnings():
    warnings.filterwarnings("error", message="bad.*", category=UserWarning)
    warnings.filterwarnings("ignore", "quiet")
    warnings.warn("quiet please")
    try:
        warnings.warn("bad thing")
    except UserWarning as error:
        print("raised", error)


@warnings.deprecated("use new()")
def gone(): ...


gone()
print(gone.__deprecated__, warnings.formatwarning("m", UserWarning, "f.py", 3, "the line"))
warnings.warn_explicit("explicit", UserWarning, "other.py", 7)
print(compile("'\\d'", "q.py", "eval") is not None)
for attempt in (
    lambda: warnings.warn("x", int),
    lambda: warnings.simplefilter("zz"),
    lambda: warnings.filterwarnings("ignore", lineno=-1),
    lambda: warnings.warn("x", stacklevel="a"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
