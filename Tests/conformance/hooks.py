"""What the generator of requests does not know about HTTP and about this protocol."""

import schemathesis


@schemathesis.hook
def filter_case(context, case):
    """Unknown headers are ignored (RFC 9110, 5.1), and not refused. A stream that has begun ends at the caller's time limit without
    its last chunk, so a limit of some milliseconds says nothing about the response."""
    headers = {name.lower(): value for name, value in (case.headers or {}).items()}
    limit = str(headers.get("club-timeout", ""))
    is_short = limit.isdecimal() and 0 < int(limit) < 1000
    return not is_short and not any(name.startswith("x-schemathesis-unknown") for name in headers)
