"""Runs the checks of the documentation that are named, or all of them."""

import sys
import time

import clients
import extend
import links
import pages
from blocks import ROOT

CHECKS = {"links": links.main, "clients": clients.main, "pages": pages.main, "extend": extend.main}

if __name__ == "__main__":
    for name in sys.argv[1:] or CHECKS:
        print(f"{name}:", flush=True)
        began = time.monotonic()
        CHECKS[name](ROOT / "target/debug")
        print(f"  {time.monotonic() - began:.0f} s", flush=True)
