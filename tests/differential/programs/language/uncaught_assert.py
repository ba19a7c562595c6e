"""A failing assertion shows its expression."""


def average(values):
    assert len(values) > 0, "no values given"
    assert all(isinstance(v, (int, float)) for v in values)
    return sum(values) / len(values)


print(average([1, 2, 3]))
try:
    average([])
except AssertionError as error:
    print("caught:", error)
average([1, "2"])
