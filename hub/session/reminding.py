"""Rules of timers and reminders that users ask for: understood and answered without a model."""

from hub.reminders.wish import wish_of
from hub.session import effects as do
from hub.session.draft import Draft
from hub.session.state import Timer

_UNDERSTOOD = "en"


def asked(d: Draft, text: str) -> bool:
    """Have a wish for a timer or a reminder done, and answered by what comes of it; False if
    ``text`` is none."""
    wish = wish_of(text) if d.state.language.startswith(_UNDERSTOOD) else None
    if wish is None or d.turn is None or not d.state.keeps_reminders:
        return False
    d.expect_speech()
    d.set_turn(has_meta=True, intent=wish.kind)
    d.arm(Timer.PLANNER, d.state.policy.planner_deadline_ms)
    d.do(do.Remind(d.turn.number, wish))
    return True
