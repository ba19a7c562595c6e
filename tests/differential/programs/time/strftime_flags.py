import time
from datetime import datetime

LETTERS = "aAbBcCdDeFgGhHIjklmMnNoOpPqQrRsStTuUvVwWxXyYzZ%+EfJKLi1"
FLAGS = ["", "_", "-", "0", "^", "#", "+", "5", "010", "_12", "^9", "#3", "E", "O", "10E"]
OTHERS = ["100%", "%%%", "%-", "%5", "%E", "%10", "%^#a", "%#^a", "%_-d", "%-_d", "%::z", "%:"]
OTHERS += [
    "%-7d",
    "%-7a",
    "é%é",
    "%\n",
    "%-%",
    "%5%",
    "%^%",
    "%5n",
    "%3S",
    "%20s",
    "%-20s",
    "%L5d",
    "",
    " ",
    "a%",
]

for moment in (
    datetime(2024, 3, 1, 15, 4, 5, 678),
    datetime(2024, 12, 31),
    datetime(999, 1, 2, 3, 4, 5),
    datetime(1900, 11, 12, 12, 30),
    datetime(9999, 12, 31, 23, 59, 59),
):
    for flag in FLAGS:
        print(moment.year, flag, [moment.strftime(f"%{flag}{letter}") for letter in LETTERS])
    print(moment.year, [moment.strftime(form) for form in OTHERS])

FORMS = "%Y|%C|%y|%G|%g|%F|%D|%4Y|%_Y|%-Y|%010Y|%c|%s|%x|%_C|%-y|%_y|%^F|%V|%U|%W|%j"
for year in (-12345, -5, 0, 1, 99, 12345):
    print(year, time.strftime(FORMS, (year, 3, 1, 15, 4, 5, 4, 61, 0)))
