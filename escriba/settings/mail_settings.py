from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from .base import SettingsGroup
from .field_types import AddressList, comma_separated


class MailSettings(SettingsGroup):
    """Recipients of the cost report and of budget warnings, and the mail server."""

    report_mail_to: AddressList = Field(
        "",
        description="Recipients of the daily cost report, as comma-separated addresses. Needs "
        "REPORT_MAIL_FROM and SMTP_HOST.",
    )
    budget_owners: AddressList = Field(
        "",
        description="Recipients of a mail when DAILY_COST_THRESHOLD or MONTHLY_COST_THRESHOLD is "
        "nearly or completely used up, as comma-separated addresses. Needs REPORT_MAIL_FROM and "
        "SMTP_HOST.",
    )
    report_mail_from: AddressList = Field("", description="Sender address of every mail.")
    smtp_host: str = Field("", description="Mail server. Empty: no mail is sent.")
    smtp_port: int = Field(
        587, ge=1, le=65_535, description="Port of the mail server: 587, or 465 for tls."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="Encryption of the connection: starttls, tls, or none for a local server "
        "without a login.",
    )
    smtp_user: str = Field("", description="User name at the mail server, if it needs a login.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password of that user.")

    @model_validator(mode="after")
    def _can_be_mailed(self) -> Self:
        for name in ("report_mail_to", "budget_owners"):
            if getattr(self, name) and not (self.report_mail_from and self.smtp_host):
                raise ValueError(f"{name.upper()} needs REPORT_MAIL_FROM and SMTP_HOST")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError(
                "SMTP_SECURITY=none would send SMTP_PASSWORD unencrypted: use starttls or tls"
            )
        return self

    @property
    def report_recipients(self) -> tuple[str, ...]:
        """Addresses of REPORT_MAIL_TO."""
        return comma_separated(self.report_mail_to)

    @property
    def budget_recipients(self) -> tuple[str, ...]:
        """Addresses of BUDGET_OWNERS."""
        return comma_separated(self.budget_owners)
