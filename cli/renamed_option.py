"""A click option that still accepts the names it had in earlier versions."""

from typing import Any

import click


class RenamedOption(click.Option):
    """An option with `old_names`, which the parser accepts and --help does not list."""

    def __init__(self, *args: Any, old_names: tuple[str, ...], **attributes: Any) -> None:  # noqa: ANN401  # click's own
        declared, *rest = args
        super().__init__((*declared, *old_names), *rest, **attributes)
        self.old_names = old_names

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the names and the help text, without the old names."""
        accepted = self.opts
        self.opts = [name for name in accepted if name not in self.old_names]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = accepted
