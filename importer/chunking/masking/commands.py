"""Table of commands that are told a password: one row a command or program, with where its password stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from importer.chunking.masking.marked import GRAM_BYTES
from importer.chunking.masking.spans import SecretSpan, whole_end
from importer.chunking.masking.values import drawn, stands_for_one

COMMAND_CHARS = 300  # between a command and its password
_ARGUMENT = r"(?P<secret>[^\s\"'`|;)\\]{3,128}+)"
_GAP = r"(?:=|\s{0,3})\\?[\"']?"


@dataclass(frozen=True, slots=True)
class CommandPlace:
    """Commands, one of which stands before the match of a pattern that is tried when `marker` occurs in the text.

    If it is not `sure`, the password must look drawn.
    """

    marker: str
    commands: tuple[str, ...]
    pattern: re.Pattern[str]
    sure: bool = True

    @property
    def markers(self) -> tuple[str, ...]:
        """Return strings one of which a text holds if it gives such a command, none so short that most texts do."""
        return self.commands if min(map(len, self.commands)) >= GRAM_BYTES else (self.marker,)

    def spans(self, text: str) -> Iterator[SecretSpan]:
        """Yield the passwords given to these commands, from left to right."""
        present = [command for command in self.commands if command in text] if self.marker in text else []
        for match in self.pattern.finditer(text) if present else ():
            value = match["secret"]
            plausible = not stands_for_one(value) and (self.sure or drawn(value))
            if plausible and _argument(present, match):
                start, end = match.span("secret")
                yield SecretSpan(start, whole_end(text, start, end), "password")


def _argument(commands: list[str], match: re.Match[str]) -> bool:
    """Return True if one of the commands stands before the match, and no other one begins between them."""
    text, start = match.string, match.start("secret")
    begin = max(text.rfind(command, max(0, start - COMMAND_CHARS), start) for command in commands)
    return begin >= 0 and not _NEXT_COMMAND.search(text, begin, start)


def _command(marker: str, commands: str, pattern: str, *, sure: bool = True) -> CommandPlace:
    """Define a row: a marker, commands separated by commas, and the pattern of the option with its password."""
    return CommandPlace(marker, tuple(commands.split(", ")), re.compile(pattern), sure)


def _option(name: str, gap: str = _GAP) -> str:
    """Return the pattern of an option and its argument; the literal stands first, since `re` searches for it fast."""
    return rf"{name}(?<=\s{name}){gap}{_ARGUMENT}"


_NEXT_COMMAND = re.compile(r"[|;]|&&|(?<!\\)\n")
_LOGIN = rf"-(?<=\s-)(?:[A-Za-z]{{0,6}}u|-(?:proxy-)?user)(?:=|\s{{1,3}})?\\?[\"']?[^\s:=/@\"'`]{{1,64}}+:{_ARGUMENT}"
_SQL = rf"-p(?<=\s-p)\\?[\"']?(?!assw|ort\b|rotocol|[\d.]*:\d|[\d.]+:\d){_ARGUMENT}"
_SPACED = r"\s{1,3}\\?[\"']?(?!-)"
_READS_IT = (  # a command that takes a password from its input
    r"(?:sudo -\w?S|(?:sudo )?(?:passwd|chpasswd|kinit|cryptsetup|su)\b"
    r"|(?:base64 (?:-[dD]|--decode) ?\| ?)?"
    r"[a-z]{2,12}(?: [a-z]{2,12}){0,2} login\b[^|\n]{0,120}-stdin|gh auth login --with-token|kubeseal\b|gh secret set)"
)
_SNMP = "snmpwalk, snmpget, snmpset, snmpbulk, snmptrap, snmptable, snmpstatus, snmpinform"

COMMANDS = (
    _command(" -", "curl", _LOGIN),
    _command(" -a ", "http, https, xh", rf"-a(?<=\s-a)\s{{1,3}}\\?[\"']?[^\s:=/@\"'`]{{1,64}}+:{_ARGUMENT}"),
    _command(" -p", "mysql, mariadb, mysqldump", _SQL),
    _command("sshpass", "sshpass", _option("-p")),
    _command("redis-cli -", "redis-cli", _option("-a")),
    _command(" -p ", "mongo, mongosh, mongodump, mongorestore", _option("-p", _SPACED)),
    _command(
        " -p ",
        "docker login, podman login, helm registry, skopeo login, az login, acr login, oc login",
        _option("-p", _SPACED),
    ),
    _command(
        " -p ", "snowsql, cqlsh, cypher-shell, crackmapexec, evil-winrm, netexec, nxc, wmiexec", _option("-p", _SPACED)
    ),
    _command(" --body ", "gh secret", rf"--body(?<=\s--body){_SPACED}{_ARGUMENT}"),
    _command(" -b", "gh secret", _option("-b")),
    _command(" --value ", "put-parameter, keyvault secret", _option("--value", _SPACED)),
    _command(" --secret-string ", "secretsmanager", _option("--secret-string", _SPACED), sure=False),
    _command(" --data", "gcloud secrets", _option("--data"), sure=False),
    _command("user-secrets", "user-secrets", rf"set\s{{1,3}}[\"']?[\w:.-]{{1,100}}+[\"']?\s{{1,3}}[\"']?{_ARGUMENT}"),
    _command("<<<", "--with-token", rf"<<<\s?[\"']?{_ARGUMENT}"),
    _command(" -k ", "openssl", _option("-k", _SPACED)),
    _command(" -P", "sqlcmd, bcp, mosquitto_pub, mosquitto_sub, zip, sqlplus", _option("-P"), sure=False),
    _command(" -w", "ldapsearch, ldapmodify, ldapadd, ldapwhoami, ldappasswd", _option("-w")),
    _command(" -p", "7z, unrar, unzip, 7za, rar", rf"-[pP](?<=\s-[pP])\\?[\"']?{_ARGUMENT}", sure=False),
    _command(
        " -p ",
        "psexec, PsExec, smbmap, hydra, odoo, argocd, rclone, impacket-, twine, keychain",
        _option("-p", _SPACED),
    ),
    _command(" /p", "cmdkey, runas, wmic, psexec", rf"/p(?<=\s/p)(?:ass(?:word)?)?[:\s]\\?[\"']?{_ARGUMENT}"),
    _command(" /p ", "signtool", rf"/p(?<=\s/p)\s\\?[\"']?{_ARGUMENT}"),
    _command("-passwd", "dscl", rf"-passwd\s{{1,3}}\S{{1,100}}\s{{1,3}}[\"']?{_ARGUMENT}"),
    _command(" /rp", "schtasks", rf"/rp(?<=\s/rp)\s\\?[\"']?{_ARGUMENT}"),
    _command(" -hp", "rar", rf"-hp(?<=\s-hp){_ARGUMENT}"),
    _command("+login", "steamcmd", rf"\+login \S{{1,64}} {_ARGUMENT}"),
    _command("--secret", "pulumi", rf"--secret\s{{1,3}}[\w:.-]{{1,100}}\s{{1,3}}[\"']?{_ARGUMENT}"),
    _command("-A bearer", "http, https, xh", rf"-a\s{{1,3}}\\?[\"']?{_ARGUMENT}", sure=False),
    _command(" alias set ", "mc", rf"set(?:\s{{1,3}}[^\s-]\S{{0,200}}){{3}}\s{{1,3}}{_ARGUMENT}", sure=False),
    _command(" host add ", "mc", rf"add(?:\s{{1,3}}[^\s-]\S{{0,200}}){{3}}\s{{1,3}}{_ARGUMENT}", sure=False),
    _command("oathtool", "oathtool", r"\s(?P<secret>[A-Za-z2-7]{16,128}|[0-9a-f]{32,128})(?![\w./=-])"),
    _command("config", "poetry", rf"http-basic\.[\w.-]{{1,64}}\s{{1,3}}\S{{1,64}}\s{{1,3}}{_ARGUMENT}"),
    _command("config", "bundle", rf"config\s(?:set\s|--?\w+\s){{0,3}}[\w.:/-]{{1,100}}\s[\w.@-]{{1,64}}:{_ARGUMENT}"),
    _command(
        "unlock",
        "bw, rbw, keepassxc-cli",
        rf"unlock\s{{1,3}}(?:--\w+\s{{1,3}}){{0,2}}[\"']?(?!-){_ARGUMENT}",
        sure=False,
    ),
    _command("<<<", "op signin, bw unlock, docker login, gh auth", rf"<<<\s?[\"']?{_ARGUMENT}"),
    _command(" -pw", "plink, pscp, psftp, putty", _option("-pw", _SPACED)),
    _command(" /p:", "xfreerdp, rdesktop, wfreerdp", rf"/p:(?<=\s/p:){_ARGUMENT}"),
    _command("pass:", "openssl", rf"pass:(?<=[\s\"'=]pass:){_ARGUMENT}"),
    _command("pass", "keytool, jarsigner, apksigner", rf"-(?:store|key|new|src|dest)(?:store)?pass{_GAP}{_ARGUMENT}"),
    _command("-storepass", "-storepass", rf"-(?:store)pass{_GAP}{_ARGUMENT}", sure=False),
    _command("ssh-keygen -", "ssh-keygen", _option("-[NP]")),
    _command(
        " -U",
        "smbclient, rpcclient, cifs, net rpc, net ads",
        rf"-U(?<=\s-U)\s{{0,3}}\\?[\"']?[^\s%\"']{{1,64}}+%{_ARGUMENT}",
    ),
    _command(" -c ", _SNMP, rf"-c(?<=\s-c)\s{{1,3}}\\?[\"']?(?!public\b|private\b|-){_ARGUMENT}"),
    _command(" -", _SNMP, _option("-[AX]", _SPACED)),
    _command("lftp -", "lftp", rf"-u(?<=\s-u)\s{{1,3}}\\?[\"']?[^\s,\"']{{1,64}}+,{_ARGUMENT}"),
    _command("authtoken", "ngrok", rf"authtoken\s{{1,3}}\\?[\"']?{_ARGUMENT}", sure=False),
    _command("net user", "net", rf"(?<=net )user\s{{1,3}}\S{{1,40}}+\s{{1,3}}{_ARGUMENT}(?=\s{{1,3}}/add)"),
    _command(
        "rabbitmqctl", "rabbitmqctl", rf"(?:add_user|change_password)\s{{1,3}}\S{{1,64}}+\s{{1,3}}\\?[\"']?{_ARGUMENT}"
    ),
    _command(
        "wpa_passphrase",
        "wpa_passphrase",
        rf"phrase\s{{1,3}}\\?[\"']?[^\s\"']{{1,40}}+\\?[\"']?\s{{1,3}}\\?[\"']?{_ARGUMENT}",
    ),
    _command(
        "htpasswd",
        "htpasswd",
        rf"-[A-Za-z]{{0,4}}b[A-Za-z]{{0,4}}\s{{1,3}}\S{{1,100}}+\s{{1,3}}\S{{1,64}}+\s{{1,3}}\\?[\"']?{_ARGUMENT}",
    ),
    _command(
        "|", "echo", r"[\"']?[A-Za-z0-9._-]{1,32}:(?P<secret>[^\s\"':|]{3,64}+)[\"']?(?=\s?\|\s?(?:sudo )?chpasswd)"
    ),
    _command("|", "echo, printf", rf"\s[\"']?(?P<secret>[^\s\"'|$]{{4,512}}+)[\"']?(?=\s?\|\s?{_READS_IT})"),
    _command("<<<", "sudo, cryptsetup, kinit, su, mysql, psql", r"<<<\s?[\"']?(?P<secret>[^\s\"'|$]{4,64}+)"),
    _command("net use", "net use", rf"/user:\S{{1,100}}+\s{{1,3}}[\"']?(?!/){_ARGUMENT}"),
    _command("net use", "net use", rf"\\\\\S{{1,200}}+\s{{1,3}}[\"']?(?!/){_ARGUMENT}(?=[\"']?\s{{1,3}}/user:)"),
    _command("DENTIFIED", "IDENTIFIED", r"(?i:by)\s{1,3}(?:(?i:password)\s)?\\?[\"'](?P<secret>[^\"'\\\s]{3,128}+)"),
    _command("dentified by", "identified", r"by\s{1,3}(?:password\s)?\\?[\"'](?P<secret>[^\"'\\\s]{3,128}+)"),
    _command(
        "SecureString",
        "ConvertTo-SecureString",
        r"SecureString\s{1,3}(?:-String\s{1,3})?[\"'](?P<secret>[^\"'\r\n$]{3,128}+)",
    ),
    _command(
        "NetworkCredential",
        "NetworkCredential",
        r"Credential\(\s?[\"'][^\"']{1,64}[\"'],\s?[\"'](?P<secret>[^\"'\r\n]{3,128}+)",
    ),
    _command("requirepass", "requirepass", rf"pass\s{{1,3}}\\?[\"']?{_ARGUMENT}", sure=False),
    _command("masterauth", "masterauth", rf"auth\s{{1,3}}\\?[\"']?{_ARGUMENT}", sure=False),
    _command("vault login", "vault login", rf"login\s{{1,3}}{_ARGUMENT}", sure=False),
    _command("--passphrase", "gpg", rf"--passphrase(?:=|\s{{1,3}})\\?[\"']?{_ARGUMENT}"),
    _command(
        "--from-literal", "kubectl", rf"--from-literal(?:=|\s{{1,3}})\\?[\"']?[\w.-]{{1,64}}+={_ARGUMENT}", sure=False
    ),
    _command("nmcli", "nmcli", rf"password(?<=\spassword)\s{{1,3}}\\?[\"']?{_ARGUMENT}"),
)
