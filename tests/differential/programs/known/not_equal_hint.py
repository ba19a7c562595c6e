"""The hint about `<>` came with a later release of the parser."""

try:
    compile("a <> b", "p.py", "exec")
except SyntaxError as error:
    print(error.msg)
