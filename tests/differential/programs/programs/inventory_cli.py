"""A command-line program that is called with several argument lists, keeping its state in JSON."""

import argparse
import json
import sys
from pathlib import Path

STORE = Path("inventory.json")


def load():
    return json.loads(STORE.read_text()) if STORE.exists() else {}


def save(items):
    STORE.write_text(json.dumps(items, indent=1, sort_keys=True))


def add(args):
    items = load()
    items.setdefault(args.name, {"count": 0, "tags": []})
    items[args.name]["count"] += args.count
    items[args.name]["tags"] = sorted({*items[args.name]["tags"], *args.tag})
    save(items)
    print(f"{args.name}: {items[args.name]['count']}")


def remove(args):
    items = load()
    if args.name not in items:
        sys.exit(f"error: no item {args.name!r}")
    if args.count > items[args.name]["count"]:
        raise ValueError(f"only {items[args.name]['count']} of {args.name}")
    items[args.name]["count"] -= args.count
    save(items)


def show(args):
    items = load()
    for name, item in sorted(
        items.items(),
        key=lambda kv: (kv[1]["count"] if args.sort == "count" else 0, kv[0]),
        reverse=args.reverse,
    ):
        print(f"{name:12}|{item['count']:>5}| {', '.join(item['tags'])}")


def main(argv):
    parser = argparse.ArgumentParser(prog="inventory", description="Keeps counts of things.")
    commands = parser.add_subparsers(required=True, dest="command")
    for function, options in ((add, True), (remove, False)):
        sub = commands.add_parser(function.__name__)
        sub.add_argument("name")
        sub.add_argument("count", type=int, nargs="?", default=1)
        if options:
            sub.add_argument("-t", "--tag", action="append", default=[])
        sub.set_defaults(function=function)
    sub = commands.add_parser("show")
    sub.add_argument("--sort", choices=["name", "count"], default="name")
    sub.add_argument("--reverse", action="store_true")
    sub.set_defaults(function=show)
    args = parser.parse_args(argv)
    args.function(args)


for line in (
    "add bolt 20 -t metal",
    "add nut 5 -t metal -t small",
    "add bolt -t long",
    "show",
    "show --sort count --reverse",
    "remove bolt 1",
    "remove screw",
    "remove nut 50",
    "add bolt many",
    "frobnicate",
    "show",
):
    print("$", line)
    try:
        main(line.split())
    except SystemExit as error:
        print("exit:", error.code)
    except ValueError as error:
        print("ValueError:", error)
print(STORE.read_text())
