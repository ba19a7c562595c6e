"""A hierarchy of own exceptions with fields, texts, codes and wrapping."""


class AppError(Exception):
    code = 1

    def __init__(self, message, **details):
        super().__init__(message)
        self.details = details

    def __str__(self):
        extra = ", ".join(f"{k}={v!r}" for k, v in sorted(self.details.items()))
        return f"[{self.code}] {self.args[0]}" + (f" ({extra})" if extra else "")


class NotFound(AppError, LookupError):
    code = 404


class Invalid(AppError, ValueError):
    code = 400

    @classmethod
    def wrap(cls, error):
        made = cls(str(error), kind=type(error).__name__)
        made.__cause__ = error
        return made


for make in (
    lambda: NotFound("no user", id=5),
    lambda: Invalid.wrap(KeyError("x")),
    lambda: AppError("plain"),
):
    try:
        raise make()
    except LookupError as error:
        print("lookup:", error, error.args, error.details)
    except AppError as error:
        print(type(error).__name__, error, repr(error), error.__cause__)
try:
    raise Invalid("bad", field="age") from None
except Exception as error:
    print(isinstance(error, ValueError), error.code, error)
raise NotFound("uncaught", where="end of program")
