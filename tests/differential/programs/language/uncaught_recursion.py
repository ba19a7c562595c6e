"""A recursion without end is told in a few lines."""

import sys

sys.setrecursionlimit(120)


def ping(n):
    return pong(n + 1)


def pong(n):
    return ping(n + 1)


print("before")
try:
    ping(0)
except RecursionError as error:
    print(error)


def alone():
    alone()


try:
    alone()
except RecursionError as error:
    print(error)
sys.setrecursionlimit(1000)
ping("text")
