"""How much may come in. What exceeds a limit is answered by a coded error."""

MAX_TEXT_CHARS = 5_000
"""Longest text to speak or to answer; about six minutes of speech."""
MAX_BODY_BYTES = 256 * 1024
"""Largest HTTP body. Nothing here needs more, and a larger one would stall the loop's audio."""
MAX_STRIKES = 20
"""Faulty frames after which a connection is closed."""
HELLO_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 1_000
"""WebSockets at once."""
PING_EVERY_S = 5.0
PONG_DEADLINE_S = 8.0
"""A peer that leaves a WebSocket ping unanswered for so long has vanished, or does not read. Longer
than a stall of its network that is no offence."""
