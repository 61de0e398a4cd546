"""Receives webhooks of a running service and verifies them with Standard Webhooks' own library. URL and TOKEN are arguments."""

import http.server
import json
import queue
import sys
import threading
import urllib.request

import standardwebhooks

url, token = sys.argv[1:]
received = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    """Refuses the first message and accepts the others."""

    count = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Receiver.count += 1
        received.put((dict(self.headers), body))
        self.send_response(500 if Receiver.count == 1 else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def call(method, path, body=None, **headers):
    request = urllib.request.Request(url + path, method=method, data=None if body is None else json.dumps(body).encode())
    for name, value in {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}.items():
        request.add_header(name.replace("_", "-"), value)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


def next_message(*secrets):
    """The next one; every secret must verify it, and a manipulated copy must be refused."""
    headers, body = received.get(timeout=60)
    for secret in secrets:
        judge = standardwebhooks.Webhook(secret)
        judge.verify(body, headers)
        try:
            judge.verify(body + b" ", headers)
        except standardwebhooks.WebhookVerificationError:
            continue
        raise SystemExit("a changed body was taken")
    lowered = {name.lower(): value for name, value in headers.items()}
    return lowered["webhook-id"], json.loads(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/hook"
webhook = call("POST", "/v1/webhooks", {"url": address, "events": ["organization.*"]})
secret = webhook["secret"]
path = f"/v1/webhooks/{webhook['id']}"
try:
    organization = call("POST", "/v1/organizations", {"kind": "institution", "name": "Essai des webhooks"})
    refused = next_message(secret)
    again = next_message(secret)
    assert refused == again, "a repetition is not the same message"
    identifier, message = again
    assert message["type"] == "organization.created" and message["data"]["id"] == organization["id"], message
    assert "Essai" not in json.dumps(message), "a thin message tells a name"

    rotated = call("POST", f"{path}/secret")
    call("POST", f"{path}/test")
    _, message = next_message(secret, rotated["secret"])
    assert message["type"] == "webhook.test", message

    call("POST", f"/v1/webhook-deliveries/{identifier}/replay")
    assert next_message(rotated["secret"])[0] == identifier, "a replay has another identifier"
finally:
    version = call("GET", path)["version"]
    call("DELETE", path, If_Match=f'"{version}"')
print(f"{Receiver.count} messages, all verified")
