#!/usr/bin/env python3
"""The old monitor under its old name and options: the state of watchme-network and its members.

Exit status: that of watchme-apply drift (0 in sync, 2 differences found).
"""
import argparse
import os
import sys
from pathlib import Path


class Parser(argparse.ArgumentParser):
    def error(self, message):
        # argparse would exit with 2, which means "differences found" here.
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: {message}\n")


def main():
    parser = Parser(description="Report on watchme-network and its members.")
    parser.add_argument("--fix", action="store_true", help="mend what is found")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    options = parser.parse_args()

    command = ["watchme-apply", "drift", "--only", "network"]
    command += ["--fix"] if options.fix else []
    command += ["--json"] if options.json else []

    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/local/bin"
    os.chdir(Path(__file__).resolve().parent.parent)
    try:
        os.execvp(command[0], command)
    except FileNotFoundError:
        sys.exit("watchme-apply is not installed: run ./setup_server.sh in the checkout")


if __name__ == "__main__":
    main()
