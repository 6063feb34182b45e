"""Phrases that Whisper writes when nobody speaks, by language.

They come from the subtitles of its training videos: credits, thanks to the viewers. Collected
from public reports (openai/whisper discussions 679, 928 and 1606; Koenecke et al., "Careless
Whisper", FAccT 2024; Barański et al., "Investigation of Whisper ASR hallucinations induced by
non-speech audio", ICASSP 2025). People say some of them too, so a phrase is removed only over
near-silence (`hallucination_filter.py`).
"""

from .repetition_loops import bare

PHRASES: dict[str, tuple[str, ...]] = {
    "": (  # in any language
        "amara org",
        "subtitles by the amara org community",
        "www",
        "music",
        "applause",
        "laughter",
    ),
    "en": (
        "thank you",
        "thank you very much",
        "thank you so much",
        "thanks for watching",
        "thank you for watching",
        "thanks for listening",
        "thank you for listening",
        "please subscribe",
        "please subscribe to my channel",
        "dont forget to like and subscribe",
        "see you in the next video",
        "see you next time",
        "ill see you next time",
        "well be right back",
        "subtitles by",
        "subs by",
        "captions by",
        "transcription by castingwords",
        "translated by",
        "the end",
        "you",
        "bye",
        "bye bye",
        "okay",
        "oh",
        "so",
        "im sorry",
    ),
    "pt": (
        "obrigado",
        "obrigada",
        "muito obrigado",
        "obrigado por assistir",
        "obrigada por assistir",
        "obrigado por ter assistido",
        "legendas pela comunidade amara org",
        "legendas pela comunidade das amara org",
        "legendado por",
        "legenda adriana zanotto",
        "transcrição e legendas",
        "tradução e legendas",
        "inscrevase no canal",
        "se inscreva no canal",
        "não se esqueça de se inscrever no canal",
        "deixe seu like",
        "até a próxima",
        "até o próximo vídeo",
        "tchau",
        "tchau tchau",
        "e aí",
        "é isso aí",
        "amém",
        "música",
    ),
    "es": (
        "gracias",
        "gracias por ver",
        "gracias por ver el video",
        "gracias por ver el vídeo",
        "muchas gracias",
        "subtítulos por la comunidad de amara org",
        "subtítulos realizados por la comunidad de amara org",
        "subtitulado por la comunidad de amara org",
        "suscríbete al canal",
        "suscríbete",
        "hasta la próxima",
        "música",
    ),
    "fr": (
        "merci",
        "merci davoir regardé",
        "merci davoir regardé cette vidéo",
        "soustitres réalisés par la communauté damara org",
        "soustitres réalisés para la communauté damara org",
        "soustitrage société radiocanada",
        "soustitrage st 501",
        "abonnezvous",
        "à bientôt",
        "au revoir",
    ),
    "de": (
        "vielen dank",
        "vielen dank fürs zuschauen",
        "danke fürs zuschauen",
        "untertitel der amara org community",
        "untertitel im auftrag des zdf",
        "untertitel im auftrag des zdf für funk",
        "untertitelung des zdf",
        "untertitelung im auftrag des zdf",
        "copyright wdr",
        "bis zum nächsten mal",
        "tschüss",
    ),
    "it": (
        "grazie",
        "grazie a tutti",
        "grazie per la visione",
        "grazie per aver guardato il video",
        "sottotitoli creati dalla comunità amara org",
        "sottotitoli e revisione a cura di qtss",
        "iscriviti al canale",
    ),
    "nl": ("dank u wel", "bedankt voor het kijken", "ondertitels ingediend door de amara org"),
    "pl": ("dziękuję", "dziękuję za uwagę", "napisy stworzone przez społeczność amara org"),
    "ru": ("продолжение следует", "субтитры сделал dimatorzok", "спасибо за просмотр"),
    "tr": ("altyazı m.k.", "izlediğiniz için teşekkür ederim", "abone olmayı unutmayın"),
    "ja": (
        "ご視聴ありがとうございました",
        "最後までご視聴ありがとうございました",
        "チャンネル登録",
    ),
    "ko": ("mbc 뉴스 이덕영입니다", "시청해주셔서 감사합니다", "감사합니다"),
    "zh": (
        "字幕由amara org社区提供",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "谢谢观看",
        "感谢观看",
        "謝謝觀看",
        "字幕by索兰娅",
    ),
    "th": (
        "ขอบคุณที่รับชม",
        "ขอบคุณสำหรับการรับชม",
        "โปรดติดตามตอนต่อไป",
        "อย่าลืมกดติดตาม",
        "ครับ",
        "ค่ะ",
    ),
}
_BLANKLESS = frozenset(("ja", "zh", "yue", "th", "lo", "my", "km"))  # spaces carry no information
_MAKERS = ("amara org", "dimatorzok", "castingwords", "明镜与点点")  # the name alone suffices


def is_boilerplate(text: str, language: str) -> bool:
    """Whether a segment consists only of such a phrase, in any spelling, once or repeated.

    English phrases count in every language, since most training videos had them.
    """
    plain = _plain(text)
    if any(_plain(maker).replace(" ", "") in plain.replace(" ", "") for maker in _MAKERS):
        return True
    if language in _BLANKLESS:
        bare_text, own = plain.replace(" ", ""), _OF["zh" if language == "yue" else language]
        if _without(bare_text, {phrase.replace(" ", "") for phrase in own}):
            return True
    return any(_is_made_of(plain, phrase) for code in {"", "en", language} for phrase in _OF[code])


def _plain(text: str) -> str:
    for mark in ".,-":  # 'amara.org' is two words; "d'avoir" is one
        text = text.replace(mark, " " if mark != "-" else "")
    words = (bare(word) for word in text.split())
    return " ".join(word for word in words if word and not word.isdecimal())  # years follow some


def _without(text: str, phrases: set[str]) -> bool:
    """Whether the text consists of phrases; longer ones may contain shorter ones, such as "ครับ"."""
    left = text
    for phrase in sorted(phrases, key=len, reverse=True):
        left = left.replace(phrase, "")
    return bool(text) and not left


def _is_made_of(plain: str, phrase: str) -> bool:
    return bool(plain) and not plain.replace(phrase, "").strip() and phrase in plain


class _Phrases(dict[str, tuple[str, ...]]):
    """Normalized phrases by language; empty for other languages."""

    def __missing__(self, language: str) -> tuple[str, ...]:
        return ()


_OF = _Phrases({code: tuple(map(_plain, phrases)) for code, phrases in PHRASES.items()})
