import sys, threading
sys.setswitchinterval(0.0001)
counter = 0
def work():
    global counter
    for _ in range(4000):
        before = counter
        str(before)
        counter = before + 1
workers = [threading.Thread(target=work) for _ in range(6)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(counter)
