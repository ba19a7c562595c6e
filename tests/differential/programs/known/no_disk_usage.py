"""What asks for the size of a disk or the time of a thread is not there."""

import os
import shutil
import time

print(hasattr(shutil, "disk_usage"), hasattr(os, "statvfs"), hasattr(time, "thread_time"))
