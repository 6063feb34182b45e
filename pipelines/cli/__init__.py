"""`escriba`: what people type. Each command imports what it needs, when it is called."""

import importlib
import sys

import click

_COMMANDS = {
    "demo": "See it all work, on three short recordings; or, with --costs, its costs",
    "add": "Copy files into the inbox of a tenant",
    "run": "Take everything new in the bucket through all stages",
    "up": "Dagster's UI, sensors and schedules, until Ctrl-C",
    "backfill": "Ask for recordings to go through the stages again",
    "status": "How far every recording is",
    "show": "Print a transcript",
    "estimate": "What recordings would cost and take, before anything is spent",
    "costs": "What it cost, by recording, tenant, backend, model, day, cost center or project",
    "prices": "The price book beside what the providers ask for now",
    "invoices": "Read what the providers billed",
    "sql": "Ask the ledger in SQL",
    "report": "What was spent, on what, and what would save money; or a tenant's statement",
    "retry": "Try again what failed",
    "reconcile": "Attend to jobs whose run died: collect, close, cancel",
    "deploy": "Make what a backend needs in its cloud, or mend it",
    "voices": "Fetch the weights of the light diarizer, once",
    "doctor": "Whether everything is as it must be, and what to do where it is not",
}


class _Lazy(click.Group):
    """Finds a command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        return importlib.import_module(f"pipelines.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="escriba")
def escriba() -> None:
    """Turns a bucket of recordings into transcripts with speakers, and knows what they cost.

    Settings come from the environment and from .env in the current folder; .env.example shows
    them all. Exit status: 0 all is well, 1 some recordings failed, 2 could not start, 3 none
    failed and some wait until the budget allows them.
    """


def main() -> None:
    """Entry point; a fault of settings or of the bucket is a sentence, not a traceback."""
    from pipelines.billing.prices import PriceBookError
    from pipelines.settings import SettingsError
    from resources.failures import BackendUnavailableError
    from resources.storage.base import StorageError

    try:
        escriba.main(standalone_mode=True)
    except (SettingsError, StorageError, PriceBookError, BackendUnavailableError) as error:
        click.echo(f"escriba: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
