"""A program that ends with a traceback: both streams and the error are compared."""


class BadInput(Exception):
    def __init__(self, line, reason):
        super().__init__(line, reason)
        self.line = line
        self.reason = reason

    def __str__(self):
        return f"line {self.line}: {self.reason}"


def parse(lines):
    total = 0
    for number, line in enumerate(lines, 1):
        try:
            total += int(line)
        except ValueError as error:
            raise BadInput(number, f"{line!r} is no number") from error
    return total


print(parse(["1", "2"]))
print(parse(["1", "two", "3"]))
