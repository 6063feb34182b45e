"""The `escriba` command line. Each command imports what it needs when it runs."""

import importlib
import sys

import click

from .exit_status import COULD_NOT_START, INTERRUPTED, MEANINGS, SUCCESS

_COMMANDS = {
    "demo": "Try Escriba on three short recordings, or on 90 days of simulated costs",
    "add": "Copy files into a tenant's inbox",
    "run": "Transcribe everything new in the bucket",
    "up": "Start Dagster's UI, sensors and schedules, until Ctrl-C",
    "backfill": "Queue recordings to go through the stages again",
    "status": "Count the recordings by state and explain failures",
    "show": "Print a transcript",
    "estimate": "Estimate cost and time without spending anything",
    "costs": "Show costs by recording, tenant, backend, model, day, cost center or project",
    "prices": "Compare the price book with the providers' current prices",
    "invoices": "Import the providers' invoices",
    "sql": "Query the ledger and the cost tables in SQL",
    "report": "Write a cost report, or a tenant's monthly statement",
    "retry": "Retry failed recordings",
    "reconcile": "Recover jobs left by a crashed run",
    "cleanup": "Delete originals, job records and logs that are past their age",
    "deploy": "Create or update a backend's cloud resources",
    "voices": "Download the weights of the light diarizer",
    "doctor": "Check the installation and suggest fixes",
}


class _LazyGroup(click.Group):
    """Imports a command from the module of the same name when it is needed."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; its errors quote names and answers of others, which no terminal obeys."""
        from escriba.text_for.plain_lines import terminal

        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            error.message = terminal(error.message)  # type: ignore[misc]  # click prints no other
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"cli.commands.{cmd_name}").command
        return command

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Exit status"):
            formatter.write_dl([(str(status), text) for status, text in MEANINGS.items()])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="escriba")
def escriba() -> None:
    """Turn a bucket of recordings into transcripts with speakers, and track their costs.

    Settings come from the environment and from .env in the current folder; .env.example lists
    all of them.

    The exit status tells how it ended.
    """


def main() -> None:
    """Entry point; prints errors in settings, prices or the bucket without a traceback."""
    from escriba.billing.price_book import PriceBookError
    from escriba.errors import BackendUnavailableError
    from escriba.known_secrets import mask_error
    from escriba.settings import SettingsError
    from escriba.text_for.plain_lines import terminal
    from resources.storage.base import StorageError

    try:
        status = escriba.main(standalone_mode=False)
    except (SettingsError, StorageError, PriceBookError, BackendUnavailableError) as error:
        click.echo(terminal(f"escriba: {error}"), err=True)
        sys.exit(COULD_NOT_START)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped; completed work is kept.", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:  # its traceback is for a report of a bug: without secrets
        mask_error(error)
        raise
    sys.exit(status if isinstance(status, int) else SUCCESS)


if __name__ == "__main__":
    main()
