"""A matrix with exact fractions: product, determinant, inverse, solving, rank."""

from fractions import Fraction


class Matrix:
    def __init__(self, rows):
        self.rows = [[Fraction(x) for x in row] for row in rows]
        if len({len(row) for row in self.rows}) > 1:
            raise ValueError("rows of different lengths")

    @property
    def shape(self):
        return len(self.rows), len(self.rows[0])

    def __matmul__(self, other):
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"shapes {self.shape} and {other.shape} do not fit")
        return Matrix(
            [
                [sum(a * b for a, b in zip(row, column)) for column in zip(*other.rows)]
                for row in self.rows
            ]
        )

    def __pow__(self, n):
        result = identity(self.shape[0])
        base = self
        while n:
            if n & 1:
                result = result @ base
            base = base @ base
            n >>= 1
        return result

    def __eq__(self, other):
        return isinstance(other, Matrix) and self.rows == other.rows

    def __str__(self):
        cells = [[str(x) for x in row] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells)]
        return "\n".join(
            "[" + " ".join(c.rjust(w) for c, w in zip(row, widths)) + "]" for row in cells
        )

    def reduced(self):
        rows = [row[:] for row in self.rows]
        factor, pivots = Fraction(1), []
        for column in range(len(rows[0])):
            top = len(pivots)
            choice = next((r for r in range(top, len(rows)) if rows[r][column]), None)
            if choice is None:
                continue
            if choice != top:
                rows[top], rows[choice] = rows[choice], rows[top]
                factor = -factor
            factor *= rows[top][column]
            rows[top] = [x / rows[top][column] for x in rows[top]]
            for r in range(len(rows)):
                if r != top:
                    scale = rows[r][column]
                    rows[r] = [a - scale * b for a, b in zip(rows[r], rows[top])]
            pivots.append(column)
            if len(pivots) == len(rows):
                break
        return rows, factor, pivots

    def determinant(self):
        _, factor, pivots = self.reduced()
        return factor if len(pivots) == self.shape[0] else Fraction(0)

    def inverse(self):
        n = self.shape[0]
        wide = Matrix([row + unit for row, unit in zip(self.rows, identity(n).rows)])
        rows, _, pivots = wide.reduced()
        if pivots != list(range(n)):
            raise ZeroDivisionError("the matrix is singular")
        return Matrix([row[n:] for row in rows])


def identity(n):
    return Matrix([[int(i == j) for j in range(n)] for i in range(n)])


hilbert = Matrix([[Fraction(1, i + j + 1) for j in range(4)] for i in range(4)])
print(hilbert)
print(hilbert.determinant())
print(hilbert.inverse())
print(hilbert @ hilbert.inverse() == identity(4))
print((Matrix([[1, 1], [1, 0]]) ** 90).rows[0][1])
print(
    len(Matrix([[1, 2, 3], [4, 5, 6], [7, 8, 9]]).reduced()[2]),
    Matrix([[1, 2], [3, "1/2"]]).determinant(),
)
for attempt in (
    lambda: Matrix([[1, 2], [3]]),
    lambda: hilbert @ Matrix([[1]]),
    lambda: Matrix([[1, 2], [2, 4]]).inverse(),
    lambda: Matrix([["x"]]),
):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, error)
