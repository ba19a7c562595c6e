import select, time, selectors
start = time.monotonic()
select.select([], [], [], 12.5)
print(time.monotonic() - start)
