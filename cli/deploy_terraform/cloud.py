"""What differs between the clouds that Terraform deploys to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from escriba.settings import Settings, environment_with, exported
from resources.terraform.variables import aws_variables, gcp_variables


@dataclass(frozen=True)
class Cloud:
    """One cloud.

    prefix: of the variables of its environment that its provider reads.
    credentials: settings that its provider reads under the same names.
    """

    name: str
    title: str
    prefix: str
    credentials: tuple[str, ...]
    variables: Callable[[Settings], dict[str, Any]]

    def environment(self, settings: Settings) -> dict[str, str]:
        """The environment of Terraform: no credentials but those of this cloud."""
        given = {n: v for n, v in exported(settings).items() if n in self.credentials and v}
        if settings.aws_endpoint_url:  # the keys are of a store that is not AWS
            given = {n: v for n, v in given.items() if not n.startswith("AWS_")}
        return environment_with(self.prefix) | given


AWS: Final = Cloud(
    "aws",
    "AWS",
    "AWS_",
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"),
    aws_variables,
)
GCP: Final = Cloud(
    "gcp", "Google Cloud", "GOOGLE_", ("GOOGLE_APPLICATION_CREDENTIALS",), gcp_variables
)
