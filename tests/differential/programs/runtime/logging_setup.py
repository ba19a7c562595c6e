"""logging: levels, formatters, handlers, filters, exceptions, hierarchy, dictConfig."""

import io
import logging
import logging.config
import logging.handlers

out = io.StringIO()
logging.basicConfig(stream=out, level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
log = logging.getLogger("app.db")
log.debug("hidden")
log.info("shown %s %d", "x", 5)
log.warning("dict %(a)s", {"a": 1})
log.error("fail", exc_info=False, extra={"user": "ann"})
try:
    1 / 0
except ZeroDivisionError:
    log.exception("caught")
log.log(35, "custom level")
log.critical("brace %s", [1])
print(out.getvalue())
handler = logging.StreamHandler(out2 := io.StringIO())
handler.setFormatter(
    logging.Formatter("{levelname:<8}|{name}|{lineno}|{funcName}|{message}", style="{")
)
handler.addFilter(lambda record: "skip" not in record.getMessage())
child = logging.getLogger("app").getChild("web")
child.addHandler(handler)
child.propagate = False
child.setLevel("DEBUG")


def inside():
    child.debug("from a function")
    child.info("skip this")


inside()
logging.addLevelName(25, "NOTICE")
child.log(25, "notice")
print(
    out2.getvalue(),
    child,
    child.getEffectiveLevel(),
    logging.getLogger("app.web") is child,
    log.isEnabledFor(10),
    child.hasHandlers(),
    logging.getLevelName(25),
    logging.getLevelName("ERROR"),
    logging.getLevelNamesMapping()["WARN"],
)
adapter = logging.LoggerAdapter(child, {"id": 7})
adapter.process = lambda msg, kw: (f"[{adapter.extra['id']}] {msg}", kw)
adapter.warning("adapted")
memory = logging.handlers.MemoryHandler(10, target=handler)
child.addHandler(memory)
child.error("twice")
memory.flush()
print(out2.getvalue().splitlines()[-3:])
logging.config.dictConfig(
    {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"f": {"format": "CFG %(message)s"}},
        "handlers": {
            "h": {
                "class": "logging.FileHandler",
                "filename": "x.log",
                "formatter": "f",
                "mode": "w",
            }
        },
        "loggers": {"cfg": {"handlers": ["h"], "level": "INFO", "propagate": False}},
    }
)
logging.getLogger("cfg").info("to a file")
print(open("x.log").read())
rotating = logging.handlers.RotatingFileHandler("r.log", maxBytes=30, backupCount=2)
rl = logging.getLogger("rot")
rl.propagate = False
rl.addHandler(rotating)
for i in range(6):
    rl.warning("message %d", i)
rotating.close()
import os

print(sorted(n for n in os.listdir() if n.startswith("r.log")), open("r.log").read())
record = logging.makeLogRecord({"msg": "x %s", "args": (1,), "levelno": 20})
print(
    record.getMessage(),
    logging.Formatter("%(asctime)s", "%Y").format(logging.makeLogRecord({"created": 0.0})),
    logging.Formatter().format(record),
)
for attempt in (
    lambda: log.setLevel("NOPE"),
    lambda: logging.getLogger(5),
    lambda: logging.Formatter("{x", style="{"),
    lambda: logging.Formatter("%(x)q"),
    lambda: logging.config.dictConfig({}),
    lambda: logging.Formatter("x", style="?"),
    lambda: logging.basicConfig(foo=1, force=True),
    lambda: log.log("x", "y"),
    lambda: log.info("a", extra={"message": 1}),
    lambda: logging.config.dictConfig({"version": 1, "handlers": {"h": {"class": "no.Such"}}}),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
