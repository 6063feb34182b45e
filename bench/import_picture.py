"""The top-level rooms and their imports as an SVG: a row for each floor, a lane for each room."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from bench.import_graph import Arrow, between, folders

ROW_PX, BOX_PX, LANE_PX, MARGIN_PX = 66, 560, 34, 14
COLORS = ("#1f6f8b", "#b5651d", "#5a7d2a", "#8e4585", "#a33b3b", "#3f5fa8", "#6b6b6b", "#111111")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.name{font-weight:600;font-size:15px}"
    ".box{fill:#fff;stroke:#888}.page{fill:#fafafa}"
)


def picture(order: list[list[str]], known: dict[str, Path], edges: Iterable[Arrow]) -> str:
    """The whole picture; it names no counts, so that it changes only with the arrows."""
    rooms = [room for floor in order for room in floor]
    counts = between(edges)
    packages = folders(known)
    lanes = [room for room in rooms if any(source == room for source, _ in counts)]
    width = MARGIN_PX * 2 + BOX_PX + LANE_PX * (len(lanes) + 1)
    height = MARGIN_PX * 2 + ROW_PX * len(rooms)
    drawn = [_box(room, row, packages) for row, room in enumerate(rooms)]
    for number, source in enumerate(lanes):
        targets = [rooms.index(target) for one, target in sorted(counts) if one == source]
        drawn += _lane(number, rooms.index(source), targets)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            "<title>Which room imports which: every arrow points down</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{width}" height="{height}"/>',
            *drawn,
            "</svg>\n",
        ]
    )


def _top(row: int) -> int:
    return MARGIN_PX + ROW_PX * row


def _box(room: str, row: int, packages: list[str]) -> str:
    """A room with the names of the folders in it."""
    inner = [name.split(".")[1] for name in packages if name.startswith(f"{room}.")]
    names = ", ".join(sorted(set(inner)))
    top, size = _top(row), f'width="{BOX_PX}" height="{ROW_PX - 16}"'
    return (
        f'<rect class="box" x="{MARGIN_PX}" y="{top}" {size} rx="4"/>'
        f'<text class="name" x="{MARGIN_PX + 10}" y="{top + 20}">{escape(room)}</text>'
        f'<text x="{MARGIN_PX + 10}" y="{top + 40}">{escape(names)}</text>'
    )


def _lane(number: int, source: int, targets: list[int]) -> list[str]:
    """A vertical line beside the boxes, from the room that imports to each room it imports."""
    color = COLORS[number % len(COLORS)]
    edge = MARGIN_PX + BOX_PX
    lane = edge + LANE_PX * (number + 1)
    offset = 4 + number * 5
    start = _top(source) + offset
    ends = [_top(target) + offset for target in targets]
    stem = f"M{edge} {start}H{lane}V{max(ends)}" + "".join(
        f"M{lane} {end}H{edge + 6}" for end in ends
    )
    heads = "".join(f"M{edge} {end}l8 -3.5v7z" for end in ends)
    return [
        f'<path d="{stem}" fill="none" stroke="{color}" stroke-width="1.5"/>',
        f'<path d="{heads}" fill="{color}"/>',
    ]
