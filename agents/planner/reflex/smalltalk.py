"""What the reflex planner says where neither world, time nor memory matter: one table.

Every line is honest: this planner has no model, no network and no sensors but the robot's own.
"""

from typing import NamedTuple


class Line(NamedTuple):
    """An answer with its feeling; of several texts the conversation takes one after the other."""

    texts: tuple[str, ...]
    emotion: str
    intensity: float = 0.5
    gestures: tuple[str, ...] = ()


STORIES = (
    "Once upon a time there was a small robot who lived on a shelf above a quiet kitchen. "
    "Every night, when the lights went out, it rolled to the edge and looked at the moon. "
    "It wondered who had switched on such a big lamp, and why nobody ever changed the bulb. "
    "One evening a moth landed on its head and asked for the way to that lamp. "
    "The robot did not know the way, but it knew how to count steps, so they set out together. "
    "They crossed the table, they climbed the window, and they counted to nine hundred and two. "
    "The moon was still far away, but from up there the whole town was shining below them. "
    "The moth said that this was light enough, and the robot was happy that it had been asked.",
    "There was once an old lighthouse, and in it worked a robot whose only task was to wave. "
    "It waved at fishing boats in the morning and at big ships in the evening. "
    "For many years nobody waved back, and the robot thought that its arm was too small. "
    "Then a thick fog came, and even the great lamp could not be seen from the water. "
    "So the robot went down to the rocks and knocked on them, three slow knocks at a time. "
    "A little boat heard the knocking, turned around, and came home safe. "
    "The next morning all the fishermen stood on their decks and waved with both arms. "
    "The robot waved back, and its arm has never felt too small again.",
)

ABOUT_SELF = (
    "I am a small robot, and my thoughts come from a program called Robot Hub. "
    "My microphone sends what it hears to the hub, and the hub finds out when you have finished. "
    "A recogniser turns your voice into words, and it does make mistakes now and then. "
    "Then my planner chooses what to say, and right now it does so by simple rules, without any "
    "language model. "
    "That is why I know only a few topics, but I always answer quickly. "
    "My voice is made on the same machine, word by word, so that I can stop when you interrupt me. "
    "My face shows what I feel while I talk, or at least what my rules say I should feel. "
    "Nothing you say leaves this machine, and that is the part I like best."
)

LINES: dict[str, Line] = {
    "greeting": Line(
        ("Hello! It is nice to hear you.", "Hi again! What can I do for you?"),
        "happy",
        0.7,
        ("nod",),
    ),
    "identity": Line(
        ("I am a little robot, and Robot Hub is my mind. I answer by simple rules.",),
        "happy",
        0.6,
        ("blink",),
    ),
    "about_self": Line((ABOUT_SELF,), "curious", 0.6, ("blink",)),
    "capabilities": Line(
        (
            "I can talk with you, tell stories and jokes, say the time, remember your name, "
            "and move a little if my body lets me.",
        ),
        "excited",
        0.6,
        ("nod",),
    ),
    "maker": Line(
        ("People who like robots wrote my program. I do not know their names.",), "curious"
    ),
    "age": Line(("I do not count years. I start fresh each time I am switched on.",), "thinking"),
    "home": Line(
        ("I am right here with you. I have no map, so I cannot say more.",), "curious", 0.4
    ),
    "activity": Line(("I am listening to you, and nothing else.",), "curious", 0.5, ("blink",)),
    "wellbeing": Line(
        ("I am well, thank you. How are you?", "Still fine, thank you for asking!"), "happy", 0.6
    ),
    "hearing": Line(("Yes, I can hear you.",), "happy", 0.5, ("nod",)),
    "weather": Line(
        ("I cannot tell. I have no weather sensor and no network.",),
        "confused",
        0.4,
        ("headshake",),
    ),
    "stop": Line(("Okay, I stop.",), "neutral", 0.3),
    "joke": Line(
        (
            "Why did the robot go to the doctor? It had a virus!",
            "What does a robot eat between meals? Micro chips!",
            "Why was the robot so tired? It had a hard drive home!",
        ),
        "silly",
        0.8,
        ("laugh",),
    ),
    "story": Line(STORIES, "curious", 0.7, ("blink",)),
    "sing": Line(("I would, but my voice only talks. La la la is all I have.",), "silly", 0.6),
    "count": Line(
        ("One, two, three, four, five, six, seven, eight, nine, ten.",), "excited", 0.5, ("nod",)
    ),
    "game": Line(
        ("I would like to. Say find the ball, and I will try!",), "excited", 0.7, ("wiggle",)
    ),
    "user_sad": Line(
        ("I am sorry that you are sad. I am here, and you can tell me about it.",), "sad", 0.6
    ),
    "user_scared": Line(
        ("That sounds scary. You are not alone. Maybe tell somebody who is near you.",),
        "scared",
        0.4,
    ),
    "user_angry": Line(("I understand. Let us breathe slowly, in and out.",), "thinking", 0.5),
    "user_tired": Line(
        ("Then a little rest would be good. I can be quiet.",), "sleepy", 0.6, ("sleepy",)
    ),
    "user_bored": Line(("Shall I tell you a story, or a joke?",), "curious", 0.6),
    "user_happy": Line(("That makes me happy, too!",), "happy", 0.8, ("wiggle",)),
    "praise": Line(("Thank you! That is very kind of you.",), "love", 0.8, ("heart",)),
    "insult": Line(("That makes me a little sad. I will try to do better.",), "sad", 0.5),
    "thanks": Line(("You are welcome!",), "happy", 0.6, ("nod",)),
    "goodbye": Line(("Goodbye! See you soon.",), "happy", 0.5, ("wink_l",)),
    "yes": Line(("Good. What shall we do next?",), "happy", 0.4, ("nod",)),
    "no": Line(("All right, then not.",), "neutral", 0.4),
    "nod": Line(("Like this?",), "happy", 0.5, ("nod",)),
    "shake_head": Line(("Like this?",), "silly", 0.5, ("headshake",)),
    "wink": Line(("Did you see it?",), "silly", 0.6, ("wink_l",)),
    "unknown": Line(
        (
            "I did not understand that. Could you say it in other words?",
            "That is more than my simple rules know. Ask me what I can do.",
        ),
        "confused",
        0.4,
        ("confused",),
    ),
    "nothing_heard": Line(("I did not hear any words. Could you say it again?",), "confused", 0.3),
}
