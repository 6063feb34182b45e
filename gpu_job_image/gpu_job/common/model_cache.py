"""Models that the provider put on this machine, in the layout of the hub's cache.

RunPod mounts the endpoint's models at /runpod-volume/huggingface-cache/hub as
`models--owner--name/snapshots/commit` (docs.runpod.io/serverless/endpoints/model-caching).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path


def cached_model(cache: Path | None, repository: str, needed: Sequence[str]) -> Path | None:
    """The folder of a repository's newest whole snapshot; None if there is none.

    The commit that `refs/main` names wins; not every cache has that file. needed: files without
    which a snapshot is not whole, as one that still downloads.
    """
    if cache is None or "/" not in repository:
        return None
    folder = cache / f"models--{repository.replace('/', '--')}"
    whole = [one for one in _snapshots(folder) if all((one / name).is_file() for name in needed)]
    main = _main_commit(folder)
    return max(whole, key=lambda one: (one.name == main, one.stat().st_mtime), default=None)


def files_of(cache: Path | None, name: str) -> Iterator[Path]:
    """The files of each model whose repository's name ends with `name`, without a look-up.

    The end is not unique (large-v3 also ends distil-large-v3): only for reading ahead.
    """
    if cache is not None:
        end = name.rpartition("/")[2]
        yield from (path for path in cache.glob(f"models--*{end}/snapshots/*/*") if path.is_file())


def _snapshots(folder: Path) -> list[Path]:
    found = folder / "snapshots"
    return [one for one in found.iterdir() if one.is_dir()] if found.is_dir() else []


def _main_commit(folder: Path) -> str:
    main = folder / "refs" / "main"
    return main.read_text().strip() if main.is_file() else ""
