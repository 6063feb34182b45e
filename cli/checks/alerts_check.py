"""Checks the channels of alerts, without sending anything."""

from collections.abc import Iterator

from escriba.settings import Settings, SettingsError

from .finding import Finding


def alert_channels(settings: Settings) -> Iterator[Finding]:
    """Yield channels with a wrong URL, and those that a tenant names but ALERT_CHANNELS lacks."""
    from intake.watch import tenant_channels
    from resources.alerts.send_message import ChannelError, check_channel

    what, advice = "alerts", "Correct ALERT_CHANNELS, then try `escriba alert --test`."
    for channel in settings.alert_places:
        try:
            check_channel(channel, settings)
        except ChannelError as error:
            found = f"{channel.name}: {error}"
            yield Finding(what=what, state="broken", found=found, advice=advice)
        else:
            yield Finding(what=what, state="well", found=f"{channel.name} is set up")
    known = {one.name for one in settings.alert_places}
    try:
        wanted = tenant_channels(settings)
    except SettingsError:  # reported by `tenants`
        return
    for tenant, names in sorted(wanted.items()):
        for name in sorted(set(names) - known):
            found = f"the alert channel {name} of tenant {tenant} is not in ALERT_CHANNELS"
            yield Finding(what=what, state="broken", found=found, advice=advice)
