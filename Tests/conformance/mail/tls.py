"""A certification authority of the judges."""

import pathlib
import socket
import subprocess


def free_port(kind=socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Authority:
    """With a certificate for `localhost`, all in a folder."""

    def __init__(self, folder: pathlib.Path):
        self.root, self.key, self.certificate = (folder / name for name in ("root.pem", "tls.key", "tls.pem"))

        def openssl(*arguments):
            subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "root.key", "-out", self.root,
                "-days", 2, "-subj", "/CN=Judges")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", folder / "tls.csr",
                "-subj", "/CN=localhost")
        (folder / "extensions").write_text("subjectAltName=DNS:localhost\n")
        openssl("x509", "-req", "-in", folder / "tls.csr", "-CA", self.root, "-CAkey", folder / "root.key",
                "-CAcreateserial", "-out", self.certificate, "-days", 2, "-extfile", folder / "extensions")
