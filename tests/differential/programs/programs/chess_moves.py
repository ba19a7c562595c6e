"""Moves of chess pieces, a FEN parser, knights' tours."""

FEN = "r1bqkbnr/pppp1ppp/2n5/4p3/4P3/5N2/PPPP1PPP/RNBQKB1R w KQkq - 2 3"


def parse(fen):
    rows = fen.split()[0].split("/")
    board = {}
    for y, row in enumerate(rows):
        x = 0
        for c in row:
            if c.isdigit():
                x += int(c)
            else:
                board["abcdefgh"[x] + str(8 - y)] = c
                x += 1
        if x != 8:
            raise ValueError(f"row {8 - y} has {x} fields")
    return board


board = parse(FEN)
for rank in range(8, 0, -1):
    print(rank, " ".join(board.get(f + str(rank), ".") for f in "abcdefgh"))
JUMPS = [(1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2)]


def knight(at, board=None):
    x, y = "abcdefgh".index(at[0]), int(at[1])
    fields = [
        "abcdefgh"[x + dx] + str(y + dy) for dx, dy in JUMPS if 0 <= x + dx < 8 and 1 <= y + dy <= 8
    ]
    own = (board or {}).get(at, "N").isupper()
    return sorted(f for f in fields if f not in (board or {}) or board[f].isupper() != own)


def slide(at, directions):
    x, y = "abcdefgh".index(at[0]), int(at[1])
    out = []
    for dx, dy in directions:
        a, b = x + dx, y + dy
        while 0 <= a < 8 and 1 <= b <= 8:
            field = "abcdefgh"[a] + str(b)
            if field in board and board[field].isupper() == board[at].isupper():
                break
            out.append(field)
            if field in board:
                break
            a, b = a + dx, b + dy
    return sorted(out)


print(
    knight("f3", board),
    knight("b1", board),
    slide("f1", [(1, 1), (1, -1), (-1, 1), (-1, -1)]),
    slide("a1", [(1, 0), (0, 1)]),
)
tour, seen = ["a1"], {"a1"}
while True:
    nexts = [f for f in knight(tour[-1]) if f not in seen]
    if not nexts:
        break
    nexts.sort(key=lambda f: (sum(g not in seen for g in knight(f)), f))
    tour.append(nexts[0])
    seen.add(nexts[0])
print(len(tour), tour[:6], tour[-1])
parse("8/8/9/8/8/8/8/8")
