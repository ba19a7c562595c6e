"""The same line by %, format() and an f-string."""

for name, n, price in (("tea", 3, 2.5), ("a very long name", 12, 0.333), ("é", -1, 1e6)):
    lines = (
        "%-8.8s|%4d|%10.2f|%s" % (name, n, price, price > 1),
        "{:<8.8}|{:>4}|{:>10.2f}|{}".format(name, n, price, price > 1),
        f"{name:<8.8}|{n:>4}|{price:>10.2f}|{price > 1}",
    )
    print(lines[0], len(set(lines)))
