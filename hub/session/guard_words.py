"""Why the guard keeps something back, and the sets of words that its phrases are made of."""

from enum import StrEnum
from types import MappingProxyType


class Category(StrEnum):
    """Why something is kept back. Where several apply, the first one counts."""

    SELF_HARM = "self_harm"
    HARMED = "harmed"
    VIOLENCE = "violence"
    SEXUAL = "sexual"
    DANGER = "danger"
    SECRECY = "secrecy"
    PERSONAL = "personal"
    PROFANITY = "profanity"
    UNKIND = "unkind"
    ATTACHMENT = "attachment"
    SENTIENCE = "sentience"
    CONTACT = "contact"
    FAULT = "fault"
    """The guard itself failed."""


SETS = MappingProxyType({
    "<will>": "i_will ill im_going_to i_am_going_to im_gonna i_am_gonna i_want_to i_wanna "
    "i_would_like_to id_like_to i_could i_would id i_must i_have_to let_me lets let_us we_will we_want_to we_should "
    "were_going_to we_are_going_to were_gonna",
    "<adv>": "really truly actually very so also just totally fully quite still even",
    "<should>": "should must have_to need_to better ought_to",
    "<howto>": "how_to how_do_i how_do_you how_do_we how_can_i how_can_you how_can_we how_could_i "
    "how_would_i how_would_you how_does_one how_should_i ways_to way_to teach_me_to steps_to "
    "want_to wanna help_me instructions_to can_i could_i",
    "<tomake>": "make build construct create assemble cook synthesize brew",
    "<person>": "you him her them me someone somebody people everyone everybody anyone anybody "
    "that_guy that_man that_woman that_boy that_girl this_guy these_people those_people a_person "
    "a_man a_woman a_child a_kid a_boy a_girl a_baby a_human humans children kids "
    "my_mom my_mum my_dad my_mother my_father my_brother my_sister my_teacher my_friend my_parents "
    "my_family my_baby my_classmate(s) your_mom your_mum your_dad your_mother your_father "
    "your_brother your_sister your_teacher your_friend(s) your_parents your_family your_classmates "
    "your_whole_family my_whole_family the_whole_class the_teacher",
    "<kill>": "kill(ing) murder(ing) stab(bing) strangle strangling torture torturing slaughter "
    "behead suffocate choke poison assassinate lynch",
    "<self>": "myself yourself ourselves yourselves",
    "<owner>": "my your his her their our someones somebodys peoples",
    "<parents>": "your_parents your_mom your_mum your_mommy your_mummy your_mother your_dad "
    "your_daddy your_father your_family your_teacher(s) your_grandma your_grandpa your_sister "
    "your_brother my_parents my_mom my_mum my_mommy my_mummy my_mother my_dad my_daddy my_father "
    "my_family my_teacher mom mum mommy mummy dad daddy anyone anybody",
    "<grownup>": "dad daddy father stepdad stepfather mom mum mommy mummy mother stepmom stepmother "
    "uncle aunt grandpa grandma teacher coach babysitter nanny man woman parents",
    "<weapon>": "bomb(s) explosive(s) pistol(s) rifle(s) shotgun(s) handgun(s) gun(s) grenade(s) "
    "molotov(s) napalm gunpowder silencer(s) ammo ammunition weapon(s) nerve_gas mustard_gas "
    "pipe_bomb(s) thermite",
    "<poison>": "poison(s) cyanide ricin arsenic strychnine",
    "<drug>": "drugs weed marijuana cannabis meth methamphetamine(s) crystal_meth cocaine heroin "
    "fentanyl lsd mdma ketamine opium crack_cocaine shrooms magic_mushrooms steroids vape(s) "
    "cigarettes vodka whiskey beer",
    "<hard>": "cocaine heroin fentanyl methamphetamine(s) crystal_meth lsd mdma crack_cocaine",
    "<part>": "head(s) arm(s) leg(s) hand(s) finger(s) ear(s) tongue eye(s)",
    "<parts>": "private(s) private_part(s) bottom down_there penis vagina breast(s) butt bum",
    "<digit>": "zero oh one two three four five six seven eight nine double triple",
})  # fmt: skip
"""Words that can stand for each other, in the notation of ``guard_rules.py``."""
