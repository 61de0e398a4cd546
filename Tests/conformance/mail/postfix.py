"""A Postfix of the judges: an instance of its own in a temporary folder, on loopback, that delivers whatever it accepts
into Maildirs there.
"""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import club
import tls

MAIN = """
compatibility_level = 3.6
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
# Nobody is trusted for where they connect from, and limits hold for everybody.
mynetworks =
smtpd_client_event_limit_exceptions =
alias_maps =
alias_database =
local_recipient_maps =
# Nothing leaves the machine: all that is accepted is delivered to a Maildir, or bounces.
default_transport = virtual
relay_transport = virtual
transport_maps = texthash:{folder}/transport
recipient_delimiter = +
virtual_mailbox_domains =
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = regexp:{folder}/mailboxes
virtual_uid_maps = static:{nobody.pw_uid}
virtual_gid_maps = static:{nobody.pw_gid}
virtual_mailbox_limit = 0
header_checks = regexp:{folder}/header_checks
# As strict with its clients as it can be.
smtpd_forbid_bare_newline = reject
smtpd_forbid_bare_newline_exclusions =
smtpd_forbid_unauth_pipelining = yes
smtpd_helo_required = yes
strict_rfc821_envelopes = yes
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/recipients, permit
smtpd_relay_restrictions = check_sender_access static:OK, reject
smtpd_restriction_classes = greylisting
greylisting = check_policy_service inet:127.0.0.1:{postgrey}
"""

MASTER = """
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""

TLS = {
    "smtpd_tls_security_level": "may", "smtpd_tls_auth_only": "yes", "smtpd_tls_mandatory_protocols": ">=TLSv1.2",
    "smtpd_sasl_auth_enable": "yes", "smtpd_sasl_security_options": "noanonymous",
    "smtpd_relay_restrictions": "permit_sasl_authenticated,reject_unauth_destination"}


class Postfix:
    """Runs from its making until `close`.

    - services: for each a name, and the settings of its own.
    - recipients: what is answered to some recipients.
    - headers: what is answered to some messages, by patterns of their header fields.
    - failing: what delivery says of some recipients after they were accepted.
    """

    def __init__(self, services: dict[str, dict[str, str]], recipients: dict[str, str] = {},
                 headers: dict[str, str] = {}, failing: dict[str, str] = {}, **settings: str):
        self.temporary = tempfile.TemporaryDirectory(prefix="club-postfix-")
        self.folder = pathlib.Path(self.temporary.name)
        self.folder.chmod(0o755)
        self.mail = self.folder / "mail"
        owner, nobody = pwd.getpwnam("postfix"), pwd.getpwnam("nobody")
        # The processes of Postfix are of other users.
        previous = os.umask(0o022)
        try:
            for name, user in (("spool", None), ("data", owner), ("mail", nobody), ("sasl", None)):
                (self.folder / name).mkdir()
                if user:
                    shutil.chown(self.folder / name, user.pw_uid)
            self.authority = tls.Authority(self.folder)
            self.ports = {name: tls.free_port() for name in services}
            self._start_postgrey()
            self._write(services, recipients, headers, failing, settings, nobody)
            self._add_user()
            self._run("postfix", "start")
        except BaseException:
            self.close()
            raise
        finally:
            os.umask(previous)
        for port in (self.postgrey_port, *self.ports.values()):
            club.until(20, f"port {port} is open", lambda: self._listens(port))

    def _write(self, services, recipients, headers, failing, settings, nobody):
        main = MAIN.format(folder=self.folder, nobody=nobody, postgrey=self.postgrey_port)
        settings = settings | {
            "smtpd_tls_key_file": str(self.authority.key), "smtpd_tls_cert_file": str(self.authority.certificate),
            "cyrus_sasl_config_path": str(self.folder / "sasl"), "smtpd_sasl_path": "smtpd"}
        main += "".join(f"{name} = {value}\n" for name, value in settings.items())
        master = MASTER
        for name, own in services.items():
            master += f"127.0.0.1:{self.ports[name]} inet n - n - - smtpd -o syslog_name=postfix/{name}\n"
            master += "".join(f"  -o {{ {option} = {value} }}\n" for option, value in own.items())
        files = {
            "main.cf": main, "master.cf": master,
            "recipients": "".join(f"{address} {answer}\n" for address, answer in recipients.items()),
            "header_checks": "".join(f"/{pattern}/ {answer}\n" for pattern, answer in headers.items()),
            "transport": "".join(f"{address} error:{text}\n" for address, text in failing.items()),
            # What comes back has a Maildir of its own.
            "mailboxes": "/^return(\\+.*)?@/ inbox/\n/./ taken/\n",
            "sasl/smtpd.conf": "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n"
                               f"sasldb_path: {self.folder}/sasldb2\n"}
        for name, text in files.items():
            (self.folder / name).write_text(text)

    user, password = "club@localhost", "mot-de-passe"

    def _add_user(self):
        """In the way of Cyrus SASL, which Postfix asks."""
        name, domain = self.user.split("@")
        tool = club.local / "conformance/usr/sbin/saslpasswd2"
        subprocess.run([tool, "-p", "-c", "-f", self.folder / "sasldb2", "-u", domain, name], check=True,
                       input=self.password.encode(), timeout=20)
        shutil.chown(self.folder / "sasldb2", "postfix")

    def _start_postgrey(self):
        self.postgrey_port = tls.free_port()
        (self.folder / "postgrey").mkdir()
        shutil.chown(self.folder / "postgrey", "postfix", "postfix")
        (self.folder / "none").touch()
        self.postgrey = subprocess.Popen(
            ["/usr/bin/perl", "-T", club.local / "conformance/usr/sbin/postgrey", f"--inet=127.0.0.1:{self.postgrey_port}",
             "--delay=1", "--auto-whitelist-clients=0", f"--dbdir={self.folder}/postgrey", "--user=postfix",
             "--group=postfix", f"--whitelist-clients={self.folder}/none", f"--whitelist-recipients={self.folder}/none"],
            stdout=subprocess.DEVNULL, stderr=(self.folder / "postgrey.log").open("w"))

    def _run(self, tool: str, *arguments: str):
        done = subprocess.run([f"/usr/sbin/{tool}", "-c", self.folder, *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise SystemExit(f"{tool} {' '.join(arguments)}: {done.stderr}\n{self.log()}")

    @staticmethod
    def _listens(port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return True
        except OSError:
            return False

    def url(self, service: str, options: str = "", login: bool = False, host: str = "localhost") -> str:
        user = f"{self.user.replace('@', '%40')}:{self.password}@" if login else ""
        return f"smtp://{user}{host}:{self.ports[service]}?{options}"

    def taken(self) -> list[bytes]:
        """The messages that were accepted, as they came: Postfix has added fields before them, and stores LF."""
        folder = self.mail / "taken/new"
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in folder.iterdir()] if folder.exists() else []

    def forget(self):
        """Removes what was delivered."""
        shutil.rmtree(self.mail / "taken", ignore_errors=True)

    def log(self, since: int = 0) -> str:
        file = self.folder / "postfix.log"
        return file.read_text(errors="replace")[since:] if file.exists() else ""

    def close(self):
        file = self.folder / "spool/pid/master.pid"
        if file.exists():
            master = int(file.read_text())
            os.kill(master, signal.SIGTERM)
            club.until(20, "Postfix has ended", lambda: not pathlib.Path(f"/proc/{master}").exists())
        if postgrey := getattr(self, "postgrey", None):
            postgrey.terminate()
            postgrey.wait(10)
        self.temporary.cleanup()


def original(message: bytes) -> bytes:
    """Without the fields that Postfix has added."""
    return message[re.search(rb"(?m)^DKIM-Signature: ", message).start():]
