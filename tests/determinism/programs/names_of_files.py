import os, tempfile, uuid
for _ in range(5):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(os.urandom(5))
        print(file.name)
folder = tempfile.mkdtemp(prefix="x")
for n in range(30):
    open(os.path.join(folder, f"{uuid.uuid4()}"), "w").close()
print(folder, os.listdir(folder), sorted(os.stat(os.path.join(folder, n)).st_mtime_ns
                                         for n in os.listdir(folder)))
