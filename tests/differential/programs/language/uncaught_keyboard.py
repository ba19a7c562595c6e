"""KeyboardInterrupt and SystemExit are no Exceptions."""

for raising in (KeyboardInterrupt, SystemExit(2), GeneratorExit):
    try:
        try:
            raise raising
        except Exception:
            print("an Exception")
        else:
            print("nothing")
        finally:
            print("finally")
    except BaseException as error:
        print(type(error).__name__, repr(error))
raise SystemExit("told at the end")
