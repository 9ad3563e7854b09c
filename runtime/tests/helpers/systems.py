"""What a test needs of the operating system; elsewhere it is skipped, with the reason."""

import os
import sys

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks processes, which Windows cannot do")

needs_sigterm = pytest.mark.skipif(
    sys.platform == "win32", reason="it stops a process with SIGTERM; Windows ends a process without a signal"
)

needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="it reads sizes of processes from /proc")

needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="it runs steps of Linux jobs in bash")
