"""`python -m hopper_tui` is the `hopper` command."""

from hopper_tui.cli.start import run

if __name__ == "__main__":
    run()
