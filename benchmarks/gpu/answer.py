"""What the planner's model always answers, piece by piece: as many tokens up to the first word, and
as many words, as an answer of a trained model has.

Each piece is one token of the made vocabulary. None occurs twice, since a piece is all that the
model knows of where it is.
"""

BEFORE_TEXT = (
    '{"', "emotion", '":"', "happy", '","', "int", "ensity", '":', "0", ".", "6", ',"', "m", "ood",
    "_reason", '":"t', "he", " user", " wants", " a", ' story","', "gest", "ures", '":[', ']',
    ',"memory', "_tags", '":[]', ',"act', "ions", '":[],', '"text"', ':"',
)  # fmt: skip
TEXT = (
    "Of",
    " course",
    ",",
    " I",
    " would",
    " love",
    " to",
    " tell",
    " you",
    " one",
    " about",
    " the",
    " small",
    " robot",
    " on",
    " its",
    " shelf",
    ". ",
    "It",
    " waited",
    " there",
    " all",
    " day",
    " long",
    " and",
    " listened",
    " until",
    " somebody",
    " came",
    " home",
)
END = ('."}',)
PIECES = (*BEFORE_TEXT, *TEXT, *END)
