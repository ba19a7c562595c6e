"""FizzBuzz in four ways."""

print(*("Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == 0) or str(n) for n in range(1, 16)))
rules = {3: "Fizz", 5: "Buzz", 7: "Bazz"}
print([("".join(w for d, w in rules.items() if n % d == 0) or n) for n in (1, 15, 21, 35, 105)])


def fizz(n):
    match (n % 3, n % 5):
        case (0, 0):
            return "FizzBuzz"
        case (0, _):
            return "Fizz"
        case (_, 0):
            return "Buzz"
    return n


print(
    list(map(fizz, range(10, 16))),
    [[n, "Fizz", "Buzz", "FizzBuzz"][(n % 3 == 0) + 2 * (n % 5 == 0)] for n in (3, 4, 5, 30)],
)
