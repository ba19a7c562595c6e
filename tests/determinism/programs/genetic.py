import random
goal = "methinks it is like a weasel"
letters = "abcdefghijklmnopqrstuvwxyz "
def score(text): return sum(a == b for a, b in zip(text, goal))
one = "".join(random.choices(letters, k=len(goal)))
for generation in range(60):
    kin = ["".join(c if random.random() > 0.05 else random.choice(letters) for c in one)
           for _ in range(60)]
    one = max(kin, key=score)
print(one, score(one))
