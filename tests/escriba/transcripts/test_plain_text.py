from escriba.transcripts.plain_text import to_text

GOLDEN = """\
[0:00:00] SPEAKER_00: Good morning. How are you?

[1:02:03] SPEAKER_01: Fine, thanks.
"""


def test_each_turn_is_a_paragraph_with_its_time_and_speaker(say):
    segments = [
        say("SPEAKER_00", "Good morning."),
        say("SPEAKER_00", "How are you?", start_ms=900),
        say("SPEAKER_01", "Fine, thanks.", start_ms=3_723_900),
    ]
    assert to_text(segments) == GOLDEN


def test_a_monologue_gets_a_paragraph_after_a_long_silence(say):
    segments = [
        say("A", "One."),
        say("A", "Two.", start_ms=3_200),
        say("A", "Three.", start_ms=7_000),
    ]
    assert to_text(segments) == "[0:00:00] A: One. Two.\n\n[0:00:07] A: Three.\n"


def test_newlines_in_words_do_not_break_a_paragraph(say):
    assert to_text([say("A", "one\n\ntwo\u2028three four")]) == "[0:00:00] A: one two three four\n"


def test_silence_is_an_empty_text():
    assert to_text([]) == ""
