"""Find numbers that are secret: payment cards and bank accounts by their check digits, codes by the words before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.chunking.masking.spans import SecretSpan

# Visa, Mastercard, American Express, Discover, JCB, Diners: ISO/IEC 7812, in groups as cards print them or in one
_CARD = re.compile(
    r"(?<![\w.+/-])(?:"
    r"(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d|35\d\d)(?:(?P<sign>[ -])\d{4}(?P=sign)\d{4}(?P=sign)\d{4}|\d{12})"
    r"|3[47]\d\d(?:(?P<gap>[ -])\d{6}(?P=gap)\d{5}|\d{11})"
    r"|3(?:0[0-5]|[68]\d)\d(?:(?P<room>[ -])\d{6}(?P=room)\d{4}|\d{10})"
    r")(?![\w/-]|\.\d)"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9/+_-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9/+_=-])")
_CODE = re.compile(r"(?<![\w.,/+-])\d{4,8}(?![\w/-]|[.,:]\d)")
_NAME_OF_CODE = re.compile(  # `"pin": "1234"`, `PIN der Karte ist 1234`, `unlock_code = 12345678`
    r"(?:(?<![A-Za-z])(?i:pin|puk\d?|otp|passcode|passkey|tan|cvv|cvc|code pin)|(?-i:(?<=[a-z])P(?:in|IN)|OTP)"
    r"|(?i:unlock|access|door|gate|alarm|security|verification|confirmation|entry|lock|safe|device|pairing|login|auth"
    r"|mfa|2fa|sms|backup|reset|activation|one[- ]time|voicemail)[_ -]?(?i:pin|code|otp)"
    r"|[cC]ode (?:de|of|to|for|du|der|des)"
    r"(?: [a-zäöüéè']{1,12}){1,3})\\{0,3}[\"'`]?(?:\s?[:=]{1,2}\s?|(?: [A-Za-zäöüéè']{1,12}){0,3}"
    r"(?: is| was| ist| war| est| es| è| é| lautet):? | number | code | )[*\\\"'`]{0,4}\Z"
)
_NAME_CHARS = 60
_DIGITS = bytes(0x64 if 0x30 <= code <= 0x39 else 0x20 for code in range(256))
IBAN_BEFORE_CHARS = 14  # of an account number before its first four digits in a row
_CONTEXT = re.compile(r"card|visa|master|amex|cvv|cvc|pay|pan\b|credit|debit|kredit|karte|tarjeta|carte", re.IGNORECASE)
_CONTEXT_CHARS = 120
# characters of an account number by country (ISO 13616), of the countries that have them
_IBAN_CHARS = {
    country: chars
    for chars, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH CR HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT ST",
        26: "IS TR", 27: "FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB PL SV", 29: "BR EG PS QA UA",
        30: "JO KW MU", 31: "MT SC", 32: "LC",
    }.items()
    for country in countries.split()
}  # fmt: skip


def find(text: str) -> Iterator[SecretSpan]:
    """Yield codes that words name, and card and account numbers with right check digits, by four digits in a row."""
    digits = text.encode("ascii", "replace").translate(_DIGITS)
    done, place = 0, digits.find(b"dddd")
    while place >= 0:
        if place >= done:
            span = _code(text, place) or _card(text, place) or _iban(text, max(done, place - IBAN_BEFORE_CHARS), place)
            done = span.end if span else done
            if span:
                yield span
        end = digits.find(b" ", place)
        place = digits.find(b"dddd", end) if end >= 0 else -1


def _code(text: str, place: int) -> SecretSpan | None:
    """Return the code of four to eight digits that begins at a place, if the words before it say so."""
    match = _CODE.match(text, place)
    named = match and _NAME_OF_CODE.search(text, max(0, place - _NAME_CHARS), place)
    return SecretSpan(place, match.end(), "code") if match and named else None


def _card(text: str, place: int) -> SecretSpan | None:
    """Return the card number that begins at a place."""
    match = _CARD.match(text, place)
    return SecretSpan(*match.span(), "card-number") if match and _luhn(match[0]) and _is_card(match) else None


def _iban(text: str, start: int, place: int) -> SecretSpan | None:
    """Return the account number that begins at `start` or later, with its first four digits in a row at `place`."""
    match = _IBAN.search(text, start, place + 40)
    end = _iban_end(match[0]) if match else 0
    return SecretSpan(match.start(), match.start() + end, "iban") if match and end else None


def _is_card(match: re.Match[str]) -> bool:
    """Return True unless a number is another by chance: one in a row of digits needs a word about payment near it."""
    grouped = match["sign"] or match["gap"] or match["room"]
    around = match.string[max(0, match.start() - _CONTEXT_CHARS) : match.end() + _CONTEXT_CHARS // 2]
    return len(set(match[0])) > 1 and (bool(grouped) or bool(_CONTEXT.search(around)))


def _luhn(number: str) -> bool:
    """Return True if the check digit is right: every second digit from the right counts double (ISO/IEC 7812-1)."""
    digits = [int(letter) for letter in reversed(number) if letter.isdigit()]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def _iban_end(found: str) -> int:
    """Return how many characters of what was found are an account number, 0 when its check digits are wrong."""
    wanted = _IBAN_CHARS.get(found[:2], 0)
    places = [place for place, letter in enumerate(found) if letter != " "]
    if not wanted or len(places) < wanted:
        return 0
    end = places[wanted - 1] + 1
    if found[end : end + 1].isalnum():
        return 0
    number = "".join(found[:end].split())
    return end if int("".join(str(int(letter, 36)) for letter in number[4:] + number[:4])) % 97 == 1 else 0
