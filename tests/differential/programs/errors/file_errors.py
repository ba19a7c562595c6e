"""What is said of files, by text: the numbers are another matter."""

import os
import shutil
import tempfile

os.mkdir("d")
open("d/f", "w").close()
for source in (
    "open('none')",
    "open('d')",
    "open('d/f/x')",
    "open('none/x', 'w')",
    "open('d/f', 'x')",
    "open('d/f', 'z')",
    "open('d/f').write('x')",
    "open('d/f', 'w').read()",
    "open('d/f', 'rb').write(b'')",
    "os.listdir('none')",
    "os.listdir('d/f')",
    "os.mkdir('d')",
    "os.mkdir('none/x')",
    "os.makedirs('d')",
    "os.rmdir('d')",
    "os.rmdir('none')",
    "os.rmdir('d/f')",
    "os.remove('none')",
    "os.remove('d')",
    "os.rename('none', 'x')",
    "os.rename('d', 'd/x')",
    "os.rename('d/f', 'none/x')",
    "os.stat('none')",
    "os.path.getsize('none')",
    "os.readlink('d/f')",
    "os.symlink('x', 'd/f')",
    "os.link('none', 'x')",
    "os.chdir('none')",
    "os.chdir('d/f')",
    "os.scandir('none')",
    "os.truncate('none', 1)",
    "os.utime('none')",
    "os.open('none', os.O_RDONLY)",
    "os.close(999)",
    "os.write(999, b'')",
    "os.read(0, 10)",
    "os.fdopen(999)",
    "shutil.copy('none', 'x')",
    "shutil.copy('d', 'x')",
    "shutil.copytree('none', 'x')",
    "shutil.copytree('d', 'd')",
    "shutil.move('none', 'x')",
    "shutil.rmtree('none')",
    "shutil.rmtree('d/f')",
    "open('a\\0b')",
    "open(b'none')",
    "open(1.5)",
    "open([])",
):
    try:
        print(source, "->", eval(source))
    except Exception as error:
        print(
            source,
            "->",
            type(error).__name__,
            getattr(error, "strerror", None) or error,
            getattr(error, "filename", None),
            getattr(error, "filename2", None),
        )
