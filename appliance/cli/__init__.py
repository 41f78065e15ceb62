"""The command `schoolgate`. Thin: each command reads its words, calls the part that does the work, and prints."""

import signal


def main() -> None:
    """Run the command on the command line. Ctrl-C ends it without a word until it has been read."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from appliance.cli.program import program

    signal.signal(signal.SIGINT, before)
    program()
