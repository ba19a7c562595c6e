"""An error in a method that is called from a comprehension."""


class Order:
    def __init__(self, items):
        self.items = items

    def total(self):
        return sum(price * count for price, count in self.items)


orders = [Order([(1, 2), (3, 4)]), Order([(1, 2), (3,)])]
print(orders[0].total())
print([order.total() for order in orders])
