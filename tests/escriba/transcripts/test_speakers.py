import hypothesis.strategies as st
from hypothesis import example, given, settings

from escriba.transcripts.speakers import SPEAKER_UNKNOWN, assign_speakers
from gpu_job.contract import Turn, Word

# Short recordings, so that touching, nested and equal spans are common.
times = st.tuples(st.integers(0, 60), st.integers(0, 25))
words_of = st.lists(
    times.map(lambda t: Word(start_ms=t[0], end_ms=t[0] + t[1], text="w", probability=1)),
    max_size=12,
)
turns_of = st.lists(
    st.builds(
        lambda t, speaker: Turn(start_ms=t[0], end_ms=t[0] + t[1], speaker=speaker),
        times,
        st.sampled_from("ABCD"),
    ),
    max_size=12,
)


def word(start_ms, end_ms):
    return Word(start_ms=start_ms, end_ms=end_ms, text="w", probability=1)


def turn(start_ms, end_ms, speaker):
    return Turn(start_ms=start_ms, end_ms=end_ms, speaker=speaker)


def one(start_ms, end_ms, turns, **options):
    (label,) = assign_speakers([word(start_ms, end_ms)], turns, **options)
    return label


def naive(words, turns, reach_ms):
    """The rule as it is written, by looking at every turn for every word."""
    labels = []
    for said in words:
        end_ms = max(said.end_ms, said.start_ms + 1)
        ranked = sorted(
            (
                -(min(turn.end_ms, end_ms) - max(turn.start_ms, said.start_ms)),
                turn.start_ms,
                -turn.end_ms,
                turn.speaker,
            )
            for turn in turns
            if turn.end_ms > turn.start_ms
        )
        near = ranked and ranked[0][0] <= reach_ms
        labels.append(ranked[0][3] if near else SPEAKER_UNKNOWN)
    return labels


@settings(max_examples=500)
@given(words_of, turns_of, st.integers(0, 30))
@example([word(0, 25)], [turn(1, 4, "A"), turn(5, 9, "B"), turn(10, 14, "C")], 0)
@example([word(0, 25)], [turn(1, 4, "A"), turn(5, 6, "B"), turn(7, 10, "C")], 0)
def test_it_agrees_with_a_look_at_every_turn_for_every_word(words, turns, reach_ms):
    assert assign_speakers(words, turns, reach_ms=reach_ms) == naive(words, turns, reach_ms)


@given(words_of, turns_of, st.randoms())
def test_the_order_of_words_and_turns_changes_nothing(words, turns, random):
    labels = assign_speakers(words, turns)
    pairs = list(zip(words, labels, strict=True))
    random.shuffle(pairs)
    random.shuffle(turns)
    assert assign_speakers([w for w, _ in pairs], turns) == [label for _, label in pairs]


def test_the_largest_overlap_wins():
    assert one(100, 200, [turn(0, 140, "A"), turn(140, 300, "B")]) == "B"


def test_a_long_turn_that_began_long_before_is_found():
    others = [turn(i * 10, i * 10 + 5, "B") for i in range(500)]
    assert one(4_996, 4_999, [*others, turn(0, 9_000, "A")]) == "A"


def test_many_nested_turns_hide_no_turn_that_goes_on():
    nested = [turn(i, 1_000 - i, f"N{i}") for i in range(400)]
    assert one(998, 1_100, [*nested, turn(990, 1_200, "Z")]) == "Z"


def test_who_has_the_floor_keeps_it_when_another_is_as_near():
    assert one(110, 140, [turn(100, 150, "B"), turn(0, 500, "A")]) == "A"


def test_equal_turns_of_two_speakers_go_to_the_smaller_label():
    assert one(0, 10, [turn(0, 10, "B"), turn(0, 10, "A")]) == "A"


def test_a_word_without_length_belongs_to_the_turn_it_stands_in():
    assert one(100, 100, [turn(0, 100, "A"), turn(100, 200, "B")]) == "B"


def test_a_word_that_ends_before_it_starts_is_taken_where_it_starts():
    assert one(150, 20, [turn(0, 100, "A"), turn(100, 200, "B")]) == "B"


def test_a_word_in_silence_goes_to_the_nearest_turn():
    assert one(300, 310, [turn(0, 100, "A"), turn(400, 500, "B")]) == "B"


def test_a_word_beyond_reach_has_no_speaker():
    turns = [turn(0, 100, "A")]
    assert one(150, 160, turns, reach_ms=50) == "A"
    assert one(151, 160, turns, reach_ms=50) == SPEAKER_UNKNOWN


def test_a_word_may_lie_a_second_from_the_turn_it_belongs_to():
    turns = [turn(0, 100, "A")]
    assert one(1_100, 1_160, turns) == "A"
    assert one(1_101, 1_160, turns) == SPEAKER_UNKNOWN


def test_a_turn_without_length_says_nothing():
    assert one(0, 10, [turn(5, 5, "A")]) == SPEAKER_UNKNOWN


def test_without_turns_nobody_is_known():
    assert assign_speakers([word(0, 10), word(10, 20)], []) == [SPEAKER_UNKNOWN] * 2


def test_without_words_there_is_nothing_to_say():
    assert assign_speakers([], [turn(0, 10, "A")]) == []
