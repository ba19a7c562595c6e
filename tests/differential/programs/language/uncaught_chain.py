"""An uncaught error with a cause, a context and notes."""


def load(path):
    try:
        return {"a": 1}[path]
    except KeyError as error:
        error.add_note("looked for it in the table")
        raise LookupError(f"cannot load {path}") from error


def main():
    try:
        load("b")
    except LookupError:
        int("not a number")


print("start")
main()
