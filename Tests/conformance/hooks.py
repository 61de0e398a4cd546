"""Rules of HTTP that the generator of requests does not know."""

import schemathesis


@schemathesis.hook
def filter_case(context, case):
    """Unknown headers are ignored (RFC 9110, 5.1), and not refused."""
    return not any(name.lower().startswith("x-schemathesis-unknown") for name in case.headers or {})
