words = "the quick brown fox jumps over the lazy dog and then some more words".split()
print(set(words), frozenset(words), {hash(w) % 97 for w in words}, hash(tuple(words)))
class Plain: pass
print([hash(Plain()) for _ in range(3)], {Plain(): 1}.__len__(), repr(Plain()))
