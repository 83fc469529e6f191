"""Words by which a person stops an answer. Pure: no I/O is imported here.

They count as the whole of a message only, in any case and with any punctuation around them.
"""

import unicodedata

_WORDS = frozenset(
    word.casefold()
    for words in (
        # English, German, Dutch, French, Spanish, Portuguese, Italian, Polish, Turkish
        ("stop", "cancel", "abort", "halt", "please stop", "stop please", "stop it", "stop answering"),
        ("stopp", "abbrechen", "abbruch", "bitte stoppen", "hör auf", "aufhören"),
        ("stoppen", "annuleren", "annuleer", "ophouden"),
        ("arrête", "arrêter", "arrêtez", "annuler", "annule"),
        ("para", "detente", "detén", "alto", "cancela", "cancelar"),
        ("pare", "parar", "cancele"),
        ("ferma", "fermati", "fermare", "annulla", "basta"),
        ("przestań", "zatrzymaj", "anuluj"),
        ("dur", "iptal"),
        # Russian and Ukrainian, Chinese, Japanese, Korean, Hindi, Arabic
        ("стоп", "остановись", "остановить", "хватит", "отмена", "зупинись", "скасувати"),
        ("停", "停止", "停下", "取消", "中止"),
        ("ストップ", "止めて", "やめて", "キャンセル", "中断"),
        ("그만", "멈춰", "중지", "취소"),
        ("रुको", "रुकें", "बंद करो"),
        ("توقف", "قف", "إلغاء"),
    )
    for word in words
)
_LONGEST = 60
"""Characters of a message that may be a stop word with what stands around it."""


def is_stop_word(message: str) -> bool:
    """Return whether the whole message tells the bot to stop; its mention is taken off already."""
    if len(message) > _LONGEST:
        return False
    plain = unicodedata.normalize("NFKC", message).casefold()
    kept = "".join(each if unicodedata.category(each)[0] in "LM" else " " for each in plain)
    return unicodedata.normalize("NFKC", " ".join(kept.split())) in _WORDS
