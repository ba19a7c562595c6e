import logging, sys, time
logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(relativeCreated)d %(name)s %(message)s")
log = logging.getLogger("here")
for n in range(4):
    time.sleep(n * 1.5)
    log.warning("step %d of %s", n, object())
