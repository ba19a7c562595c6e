"""Starts the kernel: ``python -m eryx.ext.jupyter -f CONNECTION_FILE [OPTIONS OF ERYX]``."""

from __future__ import annotations

import sys

from ipykernel.kernelapp import IPKernelApp

from eryx._cli_kernel import options_of
from eryx.ext.jupyter._kernel import kernel_class

if __name__ == "__main__":
    options, others = options_of(sys.argv[1:])
    IPKernelApp.launch_instance(kernel_class=kernel_class(options), argv=others)
