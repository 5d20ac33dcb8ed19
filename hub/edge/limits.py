"""How much may come in. What exceeds a limit is answered by a coded error."""

MAX_TEXT_CHARS = 5_000
"""Longest text to speak or to answer; about six minutes of speech."""
MAX_BODY_BYTES = 256 * 1024
"""Largest HTTP body. Nothing here needs more, and a larger one would stall the loop's audio."""
MAX_STRIKES = 20
"""Faulty frames after which a connection is closed."""
HELLO_TIMEOUT_S = 10.0
