"""What differs between the clouds that Terraform deploys to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from escriba.settings import Settings, child_environment, exported
from escriba.settings.child_environment import Child
from resources.terraform.variables import aws_variables, gcp_variables


@dataclass(frozen=True)
class Cloud:
    """One cloud.

    child: which variables of this process's environment Terraform gets.
    credentials: settings that its provider reads under the same names.
    """

    name: str
    title: str
    child: Child
    credentials: tuple[str, ...]
    variables: Callable[[Settings], dict[str, Any]]

    def environment(self, settings: Settings) -> dict[str, str]:
        """The environment of Terraform: no credentials but those of this cloud."""
        given = {n: v for n, v in exported(settings).items() if n in self.credentials and v}
        if settings.aws_endpoint_url:  # the keys are of a store that is not AWS
            given = {n: v for n, v in given.items() if not n.startswith("AWS_")}
        return child_environment(self.child) | given


AWS: Final = Cloud(
    "aws",
    "AWS",
    "aws_terraform",
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"),
    aws_variables,
)
GCP: Final = Cloud(
    "gcp", "Google Cloud", "gcp_terraform", ("GOOGLE_APPLICATION_CREDENTIALS",), gcp_variables
)
