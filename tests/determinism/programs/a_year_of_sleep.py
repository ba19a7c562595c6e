import datetime, time
for month in range(12):
    print(datetime.datetime.now().isoformat())
    time.sleep(30 * 86400)
