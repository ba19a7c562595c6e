"""Two compressions come from extension modules that the guest has not."""

for name in ("lzma", "compression.zstd"):
    try:
        __import__(name)
        print(name)
    except ImportError as error:
        print(error)
