import hypothesis.strategies as st
import pytest
from hypothesis import given

from escriba.transcripts.text_width import clusters, columns, tidy_words


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", 0),
        ("abc", 3),
        ("São", 3),
        ("Sa\u0303o", 3),  # the accent as a sign of its own
        ("שָׁלוֹם", 4),
        ("\u200f\u05e9\u05dc\u05d5\u05dd", 4),  # a mark of direction takes no room
        ("日本", 4),
        ("👍", 2),
        ("👍🏽", 2),  # with a skin tone
        ("👨\u200d👩\u200d👧", 2),
        ("❤\ufe0f", 2),
        ("🇧🇷🇵🇹", 4),
    ],
)
def test_a_text_fills_the_columns_that_a_viewer_sees(text, filled):
    assert columns(text) == filled


@given(st.text())
def test_clusters_hold_the_whole_text(text):
    assert "".join(clusters(text)) == text


@given(st.text(), st.text())
def test_two_texts_fill_no_more_columns_together_than_apart(left, right):
    assert columns(f"{left} {right}") <= columns(left) + 1 + columns(right)


@given(st.text())
def test_tidy_words_can_be_written_to_any_file(text):
    for word in tidy_words(text):
        assert columns(word) > 0
        assert word.encode().decode().split() == [word]


def test_control_characters_and_invisible_words_go():
    assert tidy_words("a\x00b\n\tc \u200b \ud800 \u2028d") == ["ab", "c", "d"]
