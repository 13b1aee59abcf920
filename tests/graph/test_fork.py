"""A process that is forked while another thread compiles can compute."""
from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Another thread computes, from the very first program on (which loads the compiler).
CODE = """
import os, signal, threading, time
import flambeau as torch
go = True
def work():
    n = 0
    while go:
        n += 1
        (torch.ones(2 + n % 50) * 2).exp().sum().item()
thread = threading.Thread(target=work)
thread.start()
for k in range(8):
    time.sleep(0.02)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        ok = (torch.ones(4) + k).sum().item() == 4 + 4 * k
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
go = False
thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_while_the_first_program_is_compiled() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", CODE], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
