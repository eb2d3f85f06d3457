"""The ``dragoman`` command: each file parses, makes one library call and prints."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

import click

from dragoman import __version__
from dragoman.cli import annotate, documents, models, score
from dragoman.cli.progress import log_progress
from dragoman.errors import DragomanError, visible


class _Main(click.Group):
    """Turns what users can mend into one message and exit code 2; never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; library errors are printed and end with code 2."""
        if sys.stdout is None:
            click.echo("dragoman: standard output is closed, so there is nowhere to write to", err=True)
            sys.exit(2)
        try:
            result = super().invoke(context)
            sys.stdout.flush()
        except DragomanError as error:
            click.echo(f"dragoman: {visible(str(error))}", err=True)
            sys.exit(2)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)
        except OSError as error:
            where = f"{error.filename}: " if error.filename is not None else ""
            click.echo(f"dragoman: {where}{error.strerror or error}. Check the name and the disk.", err=True)
            _drop_output()
            sys.exit(2)
        return result


def _drop_output() -> None:
    """Let nothing that could not be written be written once more at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dragoman")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def main(quiet: bool) -> None:
    """Turn articles into structured facts, and know how right they are."""
    log_progress(quiet=quiet)


for part in (documents, annotate, models, score):
    part.add_to(main)
