"""Words of the project's own questions: each thing in two wordings, one that is said and one that asks for it."""

from __future__ import annotations

# (said, asked): what goes wrong
SYMPTOMS = (
    ("gets slower with every request until it hangs", "degrades over time and finally freezes"),
    ("sends every message twice", "delivers duplicates"),
    ("loses the last lines of a file", "truncates the end of documents"),
    ("logs people out while they are typing", "ends sessions of active users too early"),
    ("shows prices that are one cent too high", "has a rounding error in amounts"),
    ("crashes when the disk is full", "dies without free storage"),
    ("ignores changes of the configuration", "does not pick up new settings"),
    ("uses more and more memory overnight", "leaks RAM"),
    ("mixes up the order of events", "processes things out of sequence"),
    ("cannot read names with umlauts", "breaks on non-ASCII characters"),
    ("stops after a network hiccup and never starts again", "does not reconnect after connectivity problems"),
    ("shows an empty page on old phones", "renders nothing on outdated mobile devices"),
    ("takes nine minutes to start", "has a very long boot time"),
    ("forgets who approved a request", "has no audit trail of confirmations"),
    ("answers with stale results", "serves outdated cached data"),
    ("fails only on the build machine, never on a laptop", "breaks in CI but works locally"),
)

# (said, asked): where
PLACES = (
    ("the invoice printer", "billing documents"),
    ("the photo uploader", "picture upload"),
    ("the search box", "the query field"),
    ("the nightly backup", "scheduled dumps"),
    ("the checkout", "the purchase flow"),
    ("the mail queue", "outgoing email"),
    ("the login form", "the sign-in dialog"),
    ("the map of shops", "the store locator"),
    ("the translation importer", "loading of localised strings"),
    ("the sensor gateway", "the hub for measuring devices"),
    ("the calendar sync", "synchronised appointments"),
    ("the report exporter", "spreadsheet download"),
)

# (said, asked): what was decided, instead of what, and why
DECISIONS = (
    ("SQLite", "a JSON file", "it survives a crash in the middle of a write"),
    ("a token bucket", "a fixed window", "bursts at the edge of the minute got through"),
    ("server-sent events", "web sockets", "nothing ever flows back from the browser"),
    ("a monorepo", "six repositories", "every change touched three of them"),
    ("property tests", "more examples", "the bugs were in cases that no person writes down"),
    ("exponential backoff", "a constant delay", "all clients came back in the same second"),
    ("feature flags", "long-lived branches", "merging took longer than building"),
    ("protocol buffers", "XML", "the gateway spent half of its time parsing"),
    ("a read replica", "a bigger machine", "reports and orders fought for the same disk"),
    ("UUIDs", "counters", "two sites hand out ids at once"),
    ("blue-green deployment", "a maintenance window", "customers sit in every time zone"),
    ("Argon2", "bcrypt", "the auditors asked for a memory-hard function"),
)

CAUSES = (
    "a lock is held while the disk is written",
    "the time-out is shorter than the slowest answer",
    "the handle is opened in a loop and never closed",
    "the retry does not know what was done already",
    "the comparison is by text where it should be by number",
    "two processes believe that they are the leader",
    "the header is parsed before it is complete",
    "the cache key leaves out the language",
)
ERRORS = ("TimeoutError", "ConnectionResetError", "KeyError", "PermissionError", "IntegrityError", "OverflowError")
PROJECTS = ("heron", "basalt", "quince", "lantern", "tundra", "marlin", "saffron", "pylon", "willow", "cobalt")
FILLERS = (
    ("Rename the variable and run the formatter.", "Done, the formatter changed two lines."),
    ("Write a commit message for this.", "Here is one, with the reason in its body."),
    ("What does this regular expression match?", "Digits, followed by an optional suffix of letters."),
    ("Add a test for the empty list.", "The test is there and passes."),
    ("Update the dependencies.", "Three of them had new minor versions, all tests pass."),
    ("Explain the difference between a list and a tuple.", "A tuple cannot be changed once it is made."),
    ("Clean up the imports.", "Four of them were not used, I removed these."),
    ("Is there a shorter way to write that loop?", "Yes, a comprehension does the same in one line."),
)
