"""Attributes of classes are shared until an instance has its own."""


class Dog:
    tricks = []
    count = 0

    def __init__(self, name):
        self.name = name
        Dog.count += 1

    def learn(self, trick):
        self.tricks.append(trick)


a, b = Dog("a"), Dog("b")
a.learn("sit")
b.count = 10
print(b.tricks, Dog.count, a.count, b.count, "count" in vars(b), "count" in vars(a))
