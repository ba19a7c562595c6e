import gc, weakref, time
class Node: pass
ends = []
for n in range(2000):
    node = Node(); node.me = node
    weakref.finalize(node, ends.append, (n, time.process_time_ns()))
gc.collect()
print(len(ends), ends[:3], ends[-1], gc.get_count(), gc.get_stats()[0])
