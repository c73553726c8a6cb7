"""Web addresses inside names, as mail programs find them and turn them into links by themselves."""

import re
import unicodedata

_TITLES = frozenset({"dr", "jr", "mr", "mrs", "ms", "prof", "sr", "st"})
_ENDINGS = (
    "com|net|org|info|biz|edu|gov|mil|int|aero|coop|museum|jobs|tel|cat|asia|arpa|onion|localhost|local|internal|"
    "example|test|invalid|dev|app|xyz|top|site|online|shop|store|club|live|link|click|page|website|space|tech|cloud|"
    "email|world|agency|mobi|name|pro|win|icu|vip|art|blog|news|work|life|today|zip|mov|bid|loan|men|date|racing|"
    "review|party|science|download|stream|trade|webcam|accountant|cricket|faith|support|finance|financial|bank|pay|"
    "money|cash|credit|exchange|trading|market|zone|ninja|guru|social|chat|media|video|photo|photos|pics|rocks|fun|"
    "host|hosting|press|wiki|ink|bet|casino|games|game|poker|porn|sex|sexy|adult|xxx|cam|dating|security|services|"
    "solutions|systems|network|digital|global|group|company|center|international|directory|monster|quest|cyou|sbs|"
    "cfd|lol|rest|hair|skin|beauty|bond|buzz|gdn|ltd|run|fit|care|help|cafe|bar|bio|eco|earth|one|plus|best|new|foo|"
    "ong|ngo|swiss|berlin|paris|london|tokyo|nyc|africa|kim|wang|ren|ooo|gle|goog|google|microsoft|apple|skype"
)
# Of these only the endings, since names are written in the same scripts.
_ENDINGS_ELSEWHERE = (
    "рф|рус|онлайн|сайт|орг|ком|укр|бел|бг|срб|мкд|қаз|ею|ευ|ελ|中国|中國|公司|网络|網路|网站|商城|在线|中文网|香港|台灣|台湾|"
    "手机|集团|我爱你|한국|닷컴|닷넷|みんな|コム|世界|भारत|संगठन|السعودية|امارات|شبكة|موقع|مصر|ایران|קום|ישראל|ไทย|คอม"
)
# Two letters count in lower case, since "Anna.Bo" is a person, and in capitals when they are no abbreviation, unlike
# "SERV.RH".
_COUNTRIES = "IO|CO|ME|TV|CC|RU|CN|TK|GA|ML|CF|GQ|WS|TO|LY|PW|SU|EU|US|UK"
_LABEL = r"[\w\u200c\u200d-]{1,63}"
_LINK = re.compile(
    # A scheme: with any host where a link would begin, elsewhere with one that has a dot.
    r"(?:(?:^|(?<=[\s(<\[]))[a-z][a-z0-9+.-]{1,20}:[/\\]{2}|[a-z][a-z0-9+.-]{0,20}:[/\\]{2}[^\s/]{0,250}\.)[^\s]{0,80}"
    r"|(?<![\w.-])www\d?\.[^\s]{1,80}"
    r"|(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])(?::\d{1,5})?(?:[/?#][^\s]{0,80})?"
    rf"|(?<![\w.-])(?:{_LABEL}\.){{1,8}}"
    rf"(?:{_ENDINGS}|{_ENDINGS_ELSEWHERE}|xn--[a-z0-9-]{{2,59}}|(?-i:[a-z]{{2}}|{_COUNTRIES}))"
    r"(?![\w.-]*\w)[/?#:]?[^\s]{0,80}"
    # Whatever it ends with, a port or a path makes it a place.
    rf"|(?<![\w.-])(?:{_LABEL}\.){{1,8}}[^\W\d_]{{2,63}}(?::\d{{2,5}}\b|/)[^\s]{{0,80}}",
    re.IGNORECASE,
)


def find_link(text: str) -> str:
    """The first thing in ``text`` that looks like a web address, at most 80 characters of it, or ""."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text).replace("。", ".")
    if "." not in plain and ":" not in plain:
        return ""
    for found in _LINK.finditer(plain):
        if found[0].partition(".")[0].casefold() not in _TITLES:
            return found[0][:80]
    return ""
