"""Language codes of the names that some APIs write: "english" instead of "en"."""

# openai/whisper, whisper/tokenizer.py, LANGUAGES and TO_LANGUAGE_CODE
_NAMES = """
af afrikaans|am amharic|ar arabic|as assamese|az azerbaijani|ba bashkir|be belarusian|bg bulgarian
bn bengali|bo tibetan|br breton|bs bosnian|ca catalan,valencian|cs czech|cy welsh|da danish
de german|el greek|en english|es spanish,castilian|et estonian|eu basque|fa persian|fi finnish
fo faroese|fr french|gl galician|gu gujarati|ha hausa|haw hawaiian|he hebrew|hi hindi|hr croatian
ht haitian creole,haitian|hu hungarian|hy armenian|id indonesian|is icelandic|it italian
ja japanese|jw javanese|ka georgian|kk kazakh|km khmer|kn kannada|ko korean|la latin
lb luxembourgish,letzeburgesch|ln lingala|lo lao|lt lithuanian|lv latvian|mg malagasy|mi maori
mk macedonian|ml malayalam|mn mongolian|mr marathi|ms malay|mt maltese|my myanmar,burmese|ne nepali
nl dutch,flemish|nn nynorsk|no norwegian|oc occitan|pa punjabi,panjabi|pl polish|ps pashto,pushto
pt portuguese|ro romanian,moldavian,moldovan|ru russian|sa sanskrit|sd sindhi|si sinhala,sinhalese
sk slovak|sl slovenian|sn shona|so somali|sq albanian|sr serbian|su sundanese|sv swedish|sw swahili
ta tamil|te telugu|tg tajik|th thai|tk turkmen|tl tagalog|tr turkish|tt tatar|uk ukrainian|ur urdu
uz uzbek|vi vietnamese|yi yiddish|yo yoruba|yue cantonese|zh chinese,mandarin
"""
_CODES = {
    name: line.partition(" ")[0]
    for line in _NAMES.replace("\n", "|").split("|")
    if line
    for name in line.partition(" ")[2].split(",")
}


def code_of(language: str) -> str:
    """The code of a language that an API names by its code, its English name, or with a region.

    >>> code_of("English"), code_of("pt"), code_of("pt-BR"), code_of("")
    ('en', 'pt', 'pt', '')
    """
    plain = language.strip().lower()
    return _CODES.get(plain, plain.replace("_", "-").partition("-")[0])
