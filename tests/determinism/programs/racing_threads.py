import sys, threading
sys.setswitchinterval(0.0001)
log = []
def work(n):
    for i in range(3000):
        if i % 50 == 0:
            log.append(n)
workers = [threading.Thread(target=work, args=(n,)) for n in range(5)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print("".join(map(str, log)))
