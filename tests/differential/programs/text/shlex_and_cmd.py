"""Shell-like splitting, quoting, and a command interpreter fed from text."""

import cmd
import io
import shlex

for line in (
    "a b c",
    "a 'b c' \"d e\"",
    r"a\ b c\"d",
    "x # comment",
    "a=\"b 'c'\" 'd \"e\"'",
    "",
    "'' \"\"",
    "a;b|c&&d",
):
    print(
        repr(line),
        shlex.split(line),
        shlex.split(line, comments=True),
        shlex.split(line, posix=False),
    )
for bad in ("'open", '"open', "end\\"):
    try:
        print(shlex.split(bad))
    except ValueError as error:
        print(repr(bad), error)
print(
    [shlex.quote(each) for each in ("plain", "two words", "it's", "", "$x", "a/b.c-d_e", "é", "~")],
    shlex.join(["echo", "a b", "c"]),
)
lexer = shlex.shlex("a && b || c; d >'e f' (g)", punctuation_chars=True)
print(list(lexer))
lexer = shlex.shlex("name = 'value' ! x", posix=True)
lexer.whitespace_split = False
lexer.wordchars += "!"
print(list(lexer), lexer.lineno)


class Calculator(cmd.Cmd):
    prompt = "> "
    intro = "ready"

    def do_add(self, line):
        """add A B: prints the sum."""
        print(sum(map(int, line.split())), file=self.stdout)

    def do_quit(self, line):
        return True

    def default(self, line):
        print("unknown:", line, file=self.stdout)

    def emptyline(self):
        print("empty", file=self.stdout)

    def help_quit(self):
        print("leaves", file=self.stdout)


out = io.StringIO()
shell = Calculator(
    stdin=io.StringIO("add 1 2\n\nwhat 5\nhelp\nhelp add\nhelp quit\n?nothing\nquit\nadd 5 5\n"),
    stdout=out,
)
shell.use_rawinput = False
shell.cmdloop()
print(out.getvalue())
print(shell.completenames("a"), shell.onecmd("quit"), shell.parseline("do this: now"))
