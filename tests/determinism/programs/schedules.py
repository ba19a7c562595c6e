import sched, time
log = []
plan = sched.scheduler(time.time, time.sleep)
for n in (30, 10, 20): plan.enter(n, 1, log.append, (n,))
plan.run()
print(log, time.time())
