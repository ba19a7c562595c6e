"""__bool__ comes before __len__, and neither means true."""


class A:
    def __len__(self):
        return 0


class B(A):
    def __bool__(self):
        return True


class C:
    pass


print(
    bool(A()),
    bool(B()),
    bool(C()),
    not A(),
    A() or "empty",
    B() and "full",
    [x for x in (0, A(), 1) if not x][0] == 0,
    any([A(), B()]),
    all([B(), C()]),
)
