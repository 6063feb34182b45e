"""A worker that is killed while it buys: no piece that was kept is bought again."""

from tests.api_kills import PIECE_SECONDS, killed_jobs


def test_after_a_dozen_kills_nothing_is_lost_and_no_kept_piece_is_bought_twice(tmp_path):
    figures = killed_jobs(tmp_path, 12)

    assert figures.kills == 12
    assert (figures.lost, figures.twice) == (0, 0)
    assert figures.again <= figures.kills
    # a kill between the note and the request has a piece more, which the API never saw
    most_ms = figures.kills * PIECE_SECONDS * 1000
    assert figures.billed_ms <= figures.noted_ms <= figures.billed_ms + most_ms
