"""What a user may want of a robot without a language model: one table of phrases.

Notation of the phrases: ``agents/planner/reflex/matching.py``. Where two intents are found, the
one with more evidence wins, then the one that stands first.
"""

from typing import NamedTuple

from agents.planner.reflex.matching import find, phrase, words_of

UNKNOWN = "unknown"
NOTHING_HEARD = "nothing_heard"

PHRASES: dict[str, tuple[str, ...]] = {
    # memory
    "name_given": ("+my +name +is", "please +call +me", "you can +call +me"),
    "name_asked": (
        "+what is +my +name", "+who +am +i", "do you +know +my +name", "you +remember +my +name",
    ),
    "repeat": (
        "+repeat that", "what did +you +say", "+say that +again", "+say it +again", "+pardon",
        "i did not +hear +you", "i did not +understand +you", "what was that +again",
    ),
    "recall_user": ("what did +i +say", "what was my last +question", "what did +i +ask"),
    # who is there
    "maker": ("+who +made +you", "+who +built +you", "+who +created +you"),
    "age": ("+how +old +are +you",),
    "home": ("+where +are +you", "+where do +you +live", "+where +are +you from"),
    "activity": ("+what +are +you +doing",),
    "identity": (
        "+who +are +you", "+who +you +are", "what is +your +name", "+what +are +you",
        "do you have a +name", "tell me +your +name", "+introduce +yourself", "+are you a +robot",
    ),
    "about_self": (
        "tell me about +yourself", "tell me +more about +yourself", "talk about +yourself",
        "describe +yourself", "+how do +you +work", "+explain how you +work",
        "tell me +everything about +you",
    ),
    "capabilities": (
        "+what +can +you +do", "what +are +you +able to do", "+what +do +you +do",
        "can you +help me", "+what +else +can you do", "what should i +ask you",
    ),
    "wellbeing": (
        "+how +are +you", "+how +do +you +feel", "+are +you +okay", "+are +you +happy",
        "how is it +going", "+are +you +sad", "+are +you +tired", "+how are you +doing",
    ),
    "hearing": ("can you +hear me", "do you +hear me", "are you +listening", "are +you +there"),
    # the world
    "time": ("+what +time is it", "what is the +time", "tell me the +time", "do you have the +time"),
    "date": (
        "+what +day is it", "what is the +date", "what +day is +today", "what +date is it",
        "which +day is it", "what is +today's date",
    ),
    "weather": (
        "+weather", "is it +raining", "will it +rain", "is it +sunny", "how +warm is it",
        "how +cold is it", "what is the +temperature",
    ),
    "battery": (
        "+battery", "how much +power do you have", "how much +energy do you have",
        "are you +hungry", "are you +charging",
    ),
    "find_ball": (
        "+find the +ball", "+where is the +ball", "look for the +ball", "get the +ball",
        "+chase the +ball", "go to the +ball", "do you see the +ball", "+play +ball", "the +ball",
    ),
    "world": (
        "+what +do +you +see", "+what +can +you +see", "what is in +front of you",
        "what is +around you", "how +far away", "is the way +free", "is something in your +way",
    ),
    # the body
    "stop": ("+stop", "be +quiet", "+halt", "stand +still", "do not +move"),
    "back_up": (
        "+back +up", "+go +back", "+move +back", "+move +backwards", "+go +backwards",
        "+drive +backwards", "go +away",
    ),
    "spin": (
        "+turn +around", "+spin", "+turn +round", "+turn +left", "+turn +right", "turn +yourself",
    ),
    "come_here": (
        "+come +here", "+come to +me", "+follow +me", "+come +closer", "+move +forward",
        "+go +forward", "+drive +forward", "+move +forwards", "+go +straight",
    ),
    "look": (
        "+look at +me", "+look +left", "+look +right", "+look +here", "+look to the +left",
        "+look to the +right", "+look +straight",
    ),
    "search": ("+look +around", "+search the room", "+scan the room", "what is +here"),
    "explore": (
        "+explore", "+drive +around", "+walk +around", "go for a +walk", "+patrol", "+move +around",
        "can you +move", "please +move", "start +moving",
    ),
    "dance": ("+dance", "+wiggle"),
    "nod": ("+nod your head", "please +nod"),
    "shake_head": ("+shake your +head",),
    "wink": ("+wink", "+wink at me"),
    # pastimes
    "story": (
        "tell me a +story", "tell a +story", "+story", "read me a +story", "tell me a +tale",
        "+fairy +tale", "another +story",
    ),
    "joke": ("+joke", "tell me a +joke", "make me +laugh", "something +funny", "another +joke"),
    "sing": ("+sing", "a +song", "sing me a +song"),
    "count": ("+count to +ten", "can you +count", "+count to"),
    "game": ("+play a +game", "+play with +me", "let us +play", "want to +play"),
    # the user's feelings
    "user_sad": (
        "i am +sad", "i feel +sad", "i am +unhappy", "i am +lonely", "i am so +sad",
        "i had a +bad +day", "i feel +alone", "i am +crying",
    ),
    "user_scared": ("i am +scared", "i am +afraid", "i am +frightened", "i feel +scared"),
    "user_angry": ("i am +angry", "i am +mad", "i feel +angry", "that makes me +angry"),
    "user_tired": ("i am +tired", "i am +sleepy", "i want to +sleep", "i am +exhausted"),
    "user_bored": ("i am +bored", "this is +boring", "i feel +bored"),
    "user_happy": (
        "i am +happy", "i feel +happy", "i feel +great", "i am +glad", "i am +excited",
        "i had a +good +day", "i am doing +well", "i am +fine",
    ),
    "praise": (
        "+good +robot", "i +love +you", "i +like +you", "you are +great", "you are +nice",
        "you are +smart", "you are +cute", "you are +funny", "+well +done", "good +job",
    ),
    "insult": ("you are +stupid", "+stupid +robot", "you are +bad", "i +hate +you", "you are +dumb"),
    # courtesies
    "thanks": ("+thank +you", "+thanks", "+thank you very much"),
    "goodbye": ("+goodbye", "+bye", "see you +later", "see you +tomorrow", "good +night"),
    "greeting": (
        "+hello", "+hi", "+hey", "good +morning", "good +evening", "good +afternoon",
        "nice to +meet you",
    ),
    "yes": ("+yes", "+yeah", "+sure", "+okay"),
    "no": ("+no", "+nope", "not +now"),
}  # fmt: skip

_TABLE = [(intent, [phrase(text) for text in texts]) for intent, texts in PHRASES.items()]
_BRIEF = frozenset({"greeting", "yes", "no"})
"""Intents that mean something else, or nothing, in a longer sentence."""
_BRIEF_WORDS = 5
_NO_NAMES = frozenset({"a", "the", "not", "my", "is", "robot", "really", "what", "please", "and"})
_BEFORE_NAMES = frozenset({"called", "just", "actually", "miss", "mister", "doctor"})


class Wish(NamedTuple):
    """What a transcript asks for. ``words`` are its normalised words, ``rest`` those after the
    phrase that told the intent."""

    intent: str
    words: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()


def understand(transcript: str) -> Wish:
    """The intent of a transcript; ``unknown`` where no phrase is found."""
    words = words_of(transcript)
    if not words:
        return Wish(NOTHING_HEARD)
    best, intent, end = 0.0, UNKNOWN, 0
    for name, phrases in _TABLE:
        if name in _BRIEF and len(words) > _BRIEF_WORDS:
            continue
        for wanted in phrases:
            found = find(wanted, words)
            if found is not None and found.weight * found.score > best:
                best, intent, end = found.weight * found.score, name, found.end
    wish = Wish(intent, tuple(words), tuple(words[end:]) if best else ())
    if wish.intent == "name_given" and not name_in(wish):
        return wish._replace(intent=UNKNOWN)
    return wish


def name_in(wish: Wish) -> str:
    """The name that a ``name_given`` tells, capitalised; empty if there is none."""
    rest = [word for word in wish.rest if word not in _BEFORE_NAMES]
    if not rest or rest[0] in _NO_NAMES or not rest[0].isalpha():
        return ""
    return rest[0].capitalize()
