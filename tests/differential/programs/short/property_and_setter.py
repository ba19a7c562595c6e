"""Properties validate; deleting and reading a missing one raise."""


class Celsius:
    def __init__(self, degrees):
        self.degrees = degrees

    @property
    def degrees(self):
        return self._degrees

    @degrees.setter
    def degrees(self, value):
        if value < -273.15:
            raise ValueError(f"{value} is below absolute zero")
        self._degrees = value

    @property
    def fahrenheit(self):
        return self.degrees * 1.8 + 32


c = Celsius(100)
print(c.fahrenheit, vars(c))
for action in (
    lambda: Celsius(-300),
    lambda: setattr(c, "fahrenheit", 1),
    lambda: delattr(c, "degrees"),
    lambda: Celsius("x"),
    lambda: c.kelvin,
):
    try:
        action()
    except Exception as error:
        print(type(error).__name__, error)
