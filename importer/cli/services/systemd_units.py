"""The texts of the systemd units and their companions; `importer service install` fills in the importer's path.

`deploy/` has the same text for packagers, with `/usr/bin/env importer` as the command; a test keeps both in step.
Numbers: MemoryHigh and MemoryMax stand above the balanced profile's worker (900 MB soft, 1,125 MB hard) and the
daemon's own limit (256 MB); TimeoutStopSec above `daemon.grace_s` (20 s) and the worker's end (5 s); WatchdogSec above
the longest single step of the loop, which is one slice of one file.
"""

from __future__ import annotations

NAME = "importer.service"
ANYWHERE = "/usr/bin/env importer"

ABOUT = """\
[Unit]
Description=Conversation importer: keeps conversations with AI assistants searchable
"""

SERVICE = """
[Service]
Type=notify
NotifyAccess=main
ExecStart={command} run
ExecReload=/bin/sh -c "kill -HUP $MAINPID"
"""

# 2 is a usage error, 5 a store that refuses: the same tomorrow. 3 (a backlog import holds the state) and 75 (its own
# memory limit, a drain cut short) pass, so they are tried again, slowly, for ever.
LIFE = """
# Drains and commits on SIGTERM. The worker is the daemon's to end, so it gets no signal of its own; a worker that the
# kernel kills for memory is replaced, not a reason to end the service.
KillMode=mixed
OOMPolicy=continue
TimeoutStartSec=10min
TimeoutStopSec=45
WatchdogSec=60
Restart=always
RestartSec=10
RestartPreventExitStatus=2 5
SuccessExitStatus=75
"""

MEMORY = """
# Above daemon and worker together: beyond High the kernel slows it down, beyond Max it kills the worker.
MemoryAccounting=yes
MemoryHigh=1600M
MemoryMax=2G
TasksMax=128
"""

FILTER = """
# No privileges, no foreign code, nothing of the kernel's.
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
"""

USER_SANDBOX = """
# A user's manager makes these of a user namespace of its own; where the kernel allows none, it goes on without them.
ProtectSystem=full
PrivateTmp=yes
PrivateMounts=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelTunables=yes

# What it cannot have, and why:
#   ProtectSystem=strict, ProtectHome          the state and the conversations lie at home, where their owner says
#   ProtectClock, ProtectKernelLogs, ProtectKernelModules, PrivateDevices, CapabilityBoundingSet
#                                              they drop capabilities, which a user may not: it would end with 218
#   PrivateUsers, PrivateIPC                   they insist on a namespace, and fail where the kernel allows none
#   User, DynamicUser, RootDirectory           it is its user's, and sees what that user sees
#   ProtectProc, ProcSubset                    the memory of the machine and of the worker is read in /proc
#   DevicePolicy, IPAddressDeny                filters of the kernel's that only root may load: they would do nothing
#   PrivateNetwork, no AF_INET                 a model is fetched, and a store may be a server
#   SystemCallFilter=~@resources               the worker makes itself nicer than everything else
"""

STATE = """
# Settings beside the flags: IMPORTER_CONFIG=/etc/importer/importer.toml, CLAUDE_CONFIG_DIR, QDRANT_URL ...
EnvironmentFile=-/etc/importer/environment
StateDirectory=importer
StateDirectoryMode=0700

# Keys: one file each in /etc/credstore, readable by root alone; those that are not there are not needed.
LoadCredential=qdrant_api_key:importer.qdrant_api_key
LoadCredential=openai_api_key:importer.openai_api_key
LoadCredential=voyage_api_key:importer.voyage_api_key
LoadCredential=cohere_api_key:importer.cohere_api_key
"""

SANDBOX = """
# The file system is read-only but for the state; /proc shows this user's processes alone.
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateIPC=yes
PrivateMounts=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
CapabilityBoundingSet=
AmbientCapabilities=
DevicePolicy=closed
RemoveIPC=yes
"""

SYSTEM_NOTE = """\
# The system service. Conversations belong to people and are theirs alone to read (0700), so User= is best the person
# whose they are: `importer service install --run-as NAME` fills it in. ProtectHome lets it read, never write there.
"""

USER_NOTE = """\
# The service of one user, started by that user's own manager: `systemctl --user`. `loginctl enable-linger` keeps it
# running without a session. What needs privileges is left to the system unit.
# No StateDirectory: the state is where the command line looks for it, ~/.local/state/importer.
"""

SYSUSERS = """\
# The user of the system service where no person's name was given.
u importer - "Conversation importer" /var/lib/importer /usr/sbin/nologin
"""

TMPFILES = """\
# Settings, and a place for keys.
d /etc/importer 0755 root root -
d /etc/credstore 0700 root root -
"""


def system(command: str = ANYWHERE, user: str = "importer") -> str:
    """Return the hardened system unit, run as `user`."""
    before = ABOUT + "Wants=network-online.target\nAfter=network-online.target\nStartLimitIntervalSec=0\n"
    run_as = f"User={user}\n"
    after = "\n[Install]\nWantedBy=multi-user.target\n"
    service = SERVICE.format(command=command) + run_as + LIFE + MEMORY + STATE + FILTER + SANDBOX
    return SYSTEM_NOTE + before + service + after


def user(command: str = ANYWHERE) -> str:
    """Return the unit of a user's own manager."""
    before = ABOUT + "StartLimitIntervalSec=0\n"
    settings = "\nEnvironmentFile=-%E/importer/environment\n"
    after = "\n[Install]\nWantedBy=default.target\n"
    return (
        USER_NOTE + before + SERVICE.format(command=command) + settings + LIFE + MEMORY + FILTER + USER_SANDBOX + after
    )


FILES = {
    "importer.service": system,
    "importer-user.service": user,
    "importer.sysusers": lambda: SYSUSERS,
    "importer.tmpfiles": lambda: TMPFILES,
}
"""What `deploy/` holds: file name -> its text."""
