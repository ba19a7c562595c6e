"""Several exception types need no brackets in 3.14, unless there is a name."""


def kind(raising):
    try:
        raise raising
    except ValueError, TypeError:
        return "value or type"
    except KeyError, IndexError, AttributeError:
        return "lookup"
    except (OSError, EOFError) as error:
        return f"os {error!r}"
    finally:
        print("finally", end=" ")


for each in (ValueError(), TypeError(), IndexError(), EOFError("end")):
    print(kind(each))

try:
    raise ExceptionGroup("g", [KeyError(1), ValueError(2)])
except* KeyError, ValueError:
    print("both")

try:
    compile("try:\n pass\nexcept A, B as c:\n pass\n", "p.py", "exec")
except SyntaxError as error:
    print(error.msg, error.lineno, error.offset)
