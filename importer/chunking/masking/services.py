"""Table of values without a prefix: the name of a service before them and their shape give them away.

    Service("datadog dd", ("a=40", "h=32"))     DATADOG_APP = "<40 letters and digits>"

One row a service, names without signs and in lower case: `new_relic`, `newRelic` and `New Relic` are `newrelic`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from importer.chunking.masking import shapes
from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.tokens import Word
from importer.chunking.masking.values import scattered


class KeyedService(NamedTuple):
    """A service: names in lower case, without signs, separated by spaces; the shapes its values have."""

    names: str
    shapes: tuple[str, ...]


_HEX = ("h=32",)
_ANY = ("A=32",)
_UUID = ("uuid",)

SERVICES = (
    KeyedService("adafruit", ("R=32",)),
    KeyedService("adobe", _HEX),
    KeyedService("airtable", ("a=17", "A=17")),
    KeyedService("algolia", _ANY),
    KeyedService("alibaba aliyun", ("A=30",)),
    KeyedService("anyscale", ("R=32", "A=40")),
    KeyedService("appcenter", ("h=40",)),
    KeyedService("asana", ("a=32", "d=16")),
    KeyedService("assemblyai", _HEX),
    KeyedService("atlassian confluence jira", ("A=24",)),
    KeyedService("auth0", ("R=64", "R=32")),
    KeyedService("azure cosmosdb", ("B86-88", "A=32", "h=32")),
    KeyedService("bitbucket", ("a=32", "E=64")),
    KeyedService("bitly", ("h=40",)),
    KeyedService("bittrex", _ANY),
    KeyedService("box boxapp", _ANY),
    KeyedService("bugsnag", _HEX),
    KeyedService("censys", ("A=32",)),
    KeyedService("circleci circle", ("h=40",)),
    KeyedService("cloudflare cf", ("R=40", "h=37")),
    KeyedService("cloudinary", ("R=27",)),
    KeyedService("codecov", ("a=32", "uuid")),
    KeyedService("codacy", _HEX),
    KeyedService("cohere co", ("A=40",)),
    KeyedService("coinbase", ("R=64", "A=16", "A=32")),
    KeyedService("confluent", ("A=16", "B=64")),
    KeyedService("contentful", ("E=43",)),
    KeyedService("coveralls", ("A=32", "R=33")),
    KeyedService("datadog dd", ("a=40", "h=40", "h=32")),
    KeyedService("deepgram", ("h=40",)),
    KeyedService("digitalocean", ("h=64", "A=43")),
    KeyedService("discord", ("h=64", "R=32", "d=18")),
    KeyedService("droneci drone", ("A=32",)),
    KeyedService("dropbox", ("a=15", "R=64")),
    KeyedService("elevenlabs xi", ("h=32",)),
    KeyedService("etherscan", ("U=34",)),
    KeyedService("etsy", ("a=24",)),
    KeyedService("facebook fb", ("h=32", "d15-17 '|' R27")),
    KeyedService("fastly", ("R=32",)),
    KeyedService("finicity", ("h=32", "A=20")),
    KeyedService("finnhub", ("a=20",)),
    KeyedService("flickr", ("a=32", "h=16")),
    KeyedService("foursquare", ("U=48",)),
    KeyedService("freshbooks", ("a=64",)),
    KeyedService("freshdesk", ("A=20",)),
    KeyedService("github gh", ("h=40",)),
    KeyedService("gitlab", ("R=20",)),
    KeyedService("gitter", ("h=40",)),
    KeyedService("gocardless", ("R=40",)),
    KeyedService("gumroad", ("R=43",)),
    KeyedService("harvest", ("A=82", "A=97")),
    KeyedService("heroku", _UUID),
    KeyedService("hetzner hcloud", ("A=64",)),
    KeyedService("honeybadger", ("A=20",)),
    KeyedService("honeycomb", ("A=22", "A=32")),
    KeyedService("hubspot", _UUID),
    KeyedService("hunter", ("h=40",)),
    KeyedService("ibm bluemix softlayer cloudant", ("R=44", "h=64")),
    KeyedService("instagram", ("h=32",)),
    KeyedService("intercom", ("E=60",)),
    KeyedService("ipinfo", ("h=14",)),
    KeyedService("ipstack", _HEX),
    KeyedService("jfrog artifactory bintray xray", ("A=73", "A=64")),
    KeyedService("kraken", ("E80-90",)),
    KeyedService("kucoin", ("h=24", "uuid")),
    KeyedService("lastfm", _HEX),
    KeyedService("launchdarkly", ("R=40", "uuid")),
    KeyedService("linear", ("h=32",)),
    KeyedService("linkedin", ("A=14", "A=16")),
    KeyedService("linode", ("h=64",)),
    KeyedService("lokalise", ("h=40",)),
    KeyedService("mailchimp mandrill", ("h32 '-us' d1-2", "R=22")),
    KeyedService("mailgun", ("h32 '-' h8 '-' h8", "h=50")),
    KeyedService("mailjet", _HEX),
    KeyedService("mapbox", ("D80",)),
    KeyedService("mattermost", ("a=26",)),
    KeyedService("maxmind", ("A=16", "A6 '_' A29 '_mmk'")),
    KeyedService("meraki", ("h=40",)),
    KeyedService("messagebird", ("A=25", "uuid")),
    KeyedService("mistral", ("A=32",)),
    KeyedService("mixpanel", _HEX),
    KeyedService("netlify", ("R40-46",)),
    KeyedService("newrelic", ("A=64", "h=40", "h36 'NRAL'", "h32 'NRAL'", "A=47")),
    KeyedService("nytimes newyorktimes", ("A=32", "E=32")),
    KeyedService("okta", ("R=42",)),
    KeyedService("openweather openweathermap owm", _HEX),
    KeyedService("optimizely", ("R=54",)),
    KeyedService("pagerduty", ("R=20", "A=32")),
    KeyedService("paypal", ("R=80",)),
    KeyedService("pinecone", _UUID),
    KeyedService("pipedrive", ("h=40",)),
    KeyedService("plaid", ("a=24", "h=30", "a=30")),
    KeyedService("privateai", ("a=32",)),
    KeyedService("pubnub", ("a40", "uuid")),
    KeyedService("pusher", ("h=20",)),
    KeyedService("qdrant", ("R50", "R=32")),
    KeyedService("rapidapi", ("R=50",)),
    KeyedService("rollbar", _HEX),
    KeyedService("scaleway", _UUID),
    KeyedService("segment", ("A=32", "R=43")),
    KeyedService("sendbird", ("h=40", "uuid")),
    KeyedService("sentry", ("h=64", "h=32")),
    KeyedService("serpapi serp serper", ("h=64", "h=40")),
    KeyedService("shodan", ("A=32",)),
    KeyedService("sidekiq contribsys", ("h8 ':' h8",)),
    KeyedService("snyk", _UUID),
    KeyedService("sonar sonarqube sonarcloud", ("R=40",)),
    KeyedService("sourcegraph", ("h=40",)),
    KeyedService("splunk hec", _UUID),
    KeyedService("spotify", _HEX),
    KeyedService("squarespace", _UUID),
    KeyedService("stability", ("A48",)),
    KeyedService("statuspage", _UUID),
    KeyedService("steam", ("U=32", "h=32")),
    KeyedService("strava", ("h=40",)),
    KeyedService("sumo sumologic", ("A=64", "A=14")),
    KeyedService("telegram", ("d8-10 ':' R35",)),
    KeyedService("todoist", ("h=40",)),
    KeyedService("together togetherai", ("h=64",)),
    KeyedService("travis travisci", ("R=22",)),
    KeyedService("trello", ("h=32", "h=64")),
    KeyedService("tumblr", ("A=50",)),
    KeyedService("twilio", ("h=32",)),
    KeyedService("twitch", ("a=30",)),
    KeyedService("twitter", ("A=25", "A=45", "A=50", "d15-25 '-' A20-40", "E80")),
    KeyedService("typeform", ("A=44",)),
    KeyedService("unsplash", ("R=43",)),
    KeyedService("vercel", ("A=24",)),
    KeyedService("vonage nexmo", ("A=16",)),
    KeyedService("vultr", ("U=36",)),
    KeyedService("wakatime", _UUID),
    KeyedService("wandb", ("h=40",)),
    KeyedService("webflow", ("h=64",)),
    KeyedService("wechat weixin", _HEX),
    KeyedService("yandex", ("R=39", "R=40")),
    KeyedService("yelp", ("R=128",)),
    KeyedService("youtube", ("R=39",)),
    KeyedService("zendesk", ("A=40", "h=64")),
    KeyedService("zoom", ("A=32", "A=22")),
)

_OPERATORS = "=:>|,("
_BETWEEN = " \t\"'`*\\[]{}"
_NAME_CHARS = 60
_NAME_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_PUBLIC = frozenset(
    (  # a name that ends so is of something public
        "url", "uri", "host", "commit", "sha", "sha1", "sha256", "md5", "hash", "digest", "checksum", "version",
        "uuid", "guid", "etag", "revision", "rev", "ref", "integrity", "branch", "fingerprint", "name", "path",
        "file", "build", "region", "image", "tag", "event", "issue", "run", "job", "trace", "span", "request",
        "thread", "message", "user", "channel", "guild", "container", "layer", "object", "blob", "tree", "node",
        "session", "page", "board", "card", "task", "ticket", "order", "product",
    )
)  # fmt: skip
_IDS = frozenset(("client", "access", "app", "application", "account", "api", "consumer"))  # of a login


def find(text: str, words: list[Word]) -> Iterator[SecretSpan]:
    """Yield the values of services among the long words of a text, from left to right."""
    for start, end, digits in words:
        if digits:
            yield from _values(text, start, end)


def _values(text: str, start: int, end: int) -> Iterator[SecretSpan]:
    """Yield the value of a service that a long word is, or that stands behind its last colon."""
    colon = text.rfind(":", start, end) + 1
    for at in (start, colon) if colon > start else (start,):
        for kind, shape in VALUES.get(_service(text, at), ()):
            match = shapes.compiled(shape).match(text, at)
            if match and match.end() >= end and _plausible(match[0]):
                yield SecretSpan(at, match.end(), kind)
                return


def _plausible(value: str) -> bool:
    """Return True if a value looks drawn; of letters and digits without a sign, one digit is enough."""
    return scattered(value) or (value.isalnum() and any(map(str.isdigit, value)))


def _service(text: str, at: int) -> str:
    """Return the service that the name before a value says; empty when it says none, or is of something public."""
    before = text[max(0, at - _NAME_CHARS) : at].rstrip(_BETWEEN)
    if not before.endswith(tuple(_OPERATORS)):
        return ""
    name = before.rstrip(_OPERATORS + _BETWEEN + "?").rpartition("\n")[2][-40:]
    words = [word.lower() for word in _NAME_WORDS.findall(name)][-6:]
    if not words or words[-1] in _PUBLIC or (words[-1] == "id" and not _IDS.intersection(words)):
        return ""
    pairs = [first + second for first, second in pairwise(words)]
    return next((word for word in [*pairs, *words] if word in VALUES), "")


VALUES = {
    name: [(f"{service.names.split()[0]}-key", shapes.pattern(shape)) for shape in service.shapes]
    for service in SERVICES
    for name in service.names.split()
}
