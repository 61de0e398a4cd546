"""What the generator of requests has to be told about HTTP."""

import schemathesis


@schemathesis.hook
def filter_case(context, case):
    """Headers that nobody knows are ignored (RFC 9110, 5.1), and not refused."""
    return not any(name.lower().startswith("x-schemathesis-unknown") for name in case.headers or {})
