import hashlib, io, tarfile, zipfile, time, gzip
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as archive:
    for n in range(3):
        time.sleep(2)
        archive.writestr(f"{n}.txt", str(n) * 100)
print(hashlib.sha256(buffer.getvalue()).hexdigest())
print(gzip.compress(b"text", mtime=None).hex())
open("/data/a.txt", "w").write("a")
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
    archive.add("/data")
print(hashlib.sha256(buffer.getvalue()).hexdigest())
