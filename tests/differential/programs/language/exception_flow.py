"""try, except, else and finally in every order, with returns, loops and re-raising."""


def run(action):
    steps = []
    try:
        steps.append("try")
        action()
    except ValueError as error:
        steps.append(f"value {error}")
    except KeyError, IndexError:
        steps.append("lookup")
        raise
    else:
        steps.append("else")
    finally:
        steps.append("finally")
        print(steps)
    return steps


def fail(error):
    raise error


run(lambda: None)
run(lambda: fail(ValueError("v")))
for error in (KeyError("k"), OSError("o"), StopIteration()):
    try:
        run(lambda: fail(error))
    except Exception as caught:
        print("out:", repr(caught), caught is error)


def order():
    try:
        return print("returning") or "value"
    finally:
        print("finally first")


print(order())
for i in range(3):
    try:
        if i == 1:
            continue
        print("body", i)
    finally:
        print("cleanup", i)
try:
    try:
        1 / 0
    except ZeroDivisionError as e:
        saved = e
        raise
except ZeroDivisionError as again:
    print(again is saved)
try:
    e
except NameError as error:
    print(error)
try:
    raise ValueError("a") from TypeError("b")
except ValueError as error:
    print(error.__cause__, error.__context__)
