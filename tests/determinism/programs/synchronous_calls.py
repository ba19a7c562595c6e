print([now.sync() for _ in range(5)], fetch.sync(key="q"), now.sync())
