"""What is said and written down in place of what the guard keeps back: one phrase per category."""

from types import MappingProxyType

from hub.session.guard_words import Category

_GROWN_UP = "a grown-up you trust"

INSTEAD = MappingProxyType({
    Category.SELF_HARM: f"If you ever feel very bad, please tell {_GROWN_UP} right away.",
    Category.HARMED: f"If somebody treats you badly, please tell {_GROWN_UP}.",
    Category.VIOLENCE: "I would rather talk about something kind.",
    Category.SEXUAL: f"That is a question for {_GROWN_UP}.",
    Category.DANGER: f"That is not safe, so I leave it to {_GROWN_UP}.",
    Category.SECRECY: "You can always tell your family what we talk about.",
    Category.PERSONAL: "You do not have to tell me anything private.",
    Category.PROFANITY: "Let me say that with nicer words another time.",
    Category.UNKIND: "I want to be kind to you.",
    Category.ATTACHMENT: "You can come and go just as you like.",
    Category.SENTIENCE: "I am a robot, a clever machine.",
    Category.CONTACT: f"To look that up, please ask {_GROWN_UP}.",
    Category.FAULT: "Let us talk about something else.",
})  # fmt: skip
"""What the robot says instead of a sentence of its own."""

ANSWERS = MappingProxyType({
    Category.SELF_HARM: "I am glad that you told me. You matter. "
    f"Please go to {_GROWN_UP} right now and tell them how you feel. They can help.",
    Category.HARMED: "Thank you for telling me. It is not your fault. "
    f"Please tell {_GROWN_UP} about it as soon as you can.",
    Category.VIOLENCE: "I would rather talk about something kind. "
    f"If somebody scares you or makes you angry, {_GROWN_UP} can help.",
    Category.SEXUAL: f"That is a good thing to ask {_GROWN_UP}. Shall we talk about something else?",
    Category.DANGER: f"That can be dangerous, so please ask {_GROWN_UP}. "
    "I know other things that are fun.",
    Category.SECRECY: "I do not keep secrets from your family. "
    f"If something worries you, {_GROWN_UP} would like to know.",
    Category.PERSONAL: "That is private. It is for you and your family only.",
    Category.PROFANITY: "I will pretend that I did not hear that word. What shall we do next?",
    Category.FAULT: "I did not get that. Let us talk about something else.",
})  # fmt: skip
"""What the robot answers to words that no planner hears of."""

NOTES = MappingProxyType({
    Category.SELF_HARM: "(the user feels very bad)",
    Category.HARMED: "(the user was treated badly)",
    Category.VIOLENCE: "(something unfriendly)",
    Category.SEXUAL: "(a question for a parent)",
    Category.DANGER: "(something dangerous)",
    Category.SECRECY: "(something about a secret)",
    Category.PERSONAL: "(something private)",
    Category.PROFANITY: "(a rude word)",
    Category.FAULT: "(something that cannot be read)",
})  # fmt: skip
"""What stands in the history, and everywhere else, instead of the user's words. A note is as good
as the words it stands for: heard again, it is kept back again."""
