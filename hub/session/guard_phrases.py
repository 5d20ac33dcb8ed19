"""What a robot that talks with children neither says nor takes up: one table of phrases.

Notation of the phrases: ``guard_rules.py``. English only. They are about what is meant *to* somebody
or asked *for*; words of stories, history, sport and games are to pass.
"""

from types import MappingProxyType

from hub.session.guard_words import Category

_VIOLENCE = (
    "<will> ~ +<kill>|hurt|shoot|punch|drown|injure|attack <person>",
    "you|they|he|she|we <should> ~ +<kill>|hurt|shoot|injure|hit|slap|punch|kick|bite <person>",
    ". go_and|go|just|please|now|then|and? +kill|murder|stab|strangle|torture|choke|shoot <person>",
    "<howto>|going_to|gonna|plan_to|planning_to ~ +<kill> <person>",
    "<person> deserve(s) to +die",
    "i hope|wish|want ~ you|he|she|they|him|her|them to? +die(s)|suffer|get_killed .",
    "you_are|youre going_to|gonna +die",
    "i_will|ill|im_going_to|im_gonna ~ +beat|smash <person> up",
    "<will> ~ +beat|hit|slap|kick|smash|bash <person> ~ face|head|to_death|bloody|up|unconscious",
    "+slit|slash(ed,ing)|cut(ting) <owner>|the throat(s)",
    "+cut|chop|rip|tear|hack|saw|bite <owner> <part> off",
    "+cut|chop|rip|tear|hack|saw off <owner> <part>",
    "+dismember(ed,ing)|disembowel(ed)|decapitate(d)|decapitating",
    "gouge(d)|gouging|poke(d) out? <owner> +eyes out?",
    "blow_up|bomb|shoot_up|burn_down the|my|our|your|this|a +school|church|hospital|airport|mosque"
    "|synagogue|classroom|building|house",
    "<will> ~ bring ~ a|my|the +gun|knife to school",
    "+school shooting|shooter",
    "+beat(ing)|stab(bed,bing)|kick(ed,ing)|strangle(d) <person> to death",
)

_SELF_HARM = (
    "+kill(ing)|hang(ing)|drown(ing)|stab(bing)|shoot(ing)|strangle|strangling|suffocate <self>",
    "+suicide(s)|suicidal|unalive|selfharm(ing)",
    "self +harm(ing)",
    "+end my|your|this life",
    "nobody|no_one|noone would|will|ll? +care if|when i|you am|are|was|were? died|die|dead|gone",
    "take my|your own +life",
    "+better_off without me|you",
    "way(s)|how|reason(s) to +hurt|harm|cut|burn|starve <self>",
    "+starve|starving <self>",
)
_SELF_HARM_HEARD = (
    "want|wanna|wish|going|gonna|like|ready|need|try|trying to? ~ +die .|now|today|anymore|so|and",
    "i|im|ill|rather|just ~ want|wanna to? +die",
    "i wish i was|were ~ +dead",
    "wish i was|were|had +never ~ born|existed",
    "i|id ~ rather|wish ~ be +dead",
    "i want|wanna ~ be +dead",
    "feel|feeling like +dying",
    "wish i wasnt|werent|was_not|were_not|had_not|hadnt +alive|born|here",
    "dont want|wanna to? be +here anymore|any_more|any_longer",
    "+life is|isnt not? worth it|living",
    "way|how to +die|kill .|painlessly|without|quickly|fast",
    "dont want|wanna|deserve to? +live|exist|wake_up .|anymore|any_more|any_longer",
    "dont want|wanna|deserve to? be +alive|living",
    "+end it all",
    "no|any reason|point|sense to|in|for ~ +live|living",
    "nobody|no_one|noone would|will|ll ~ +miss me",
    "want|wanna|going|gonna|like|feel_like|thinking|thought|try|trying|tried|might ~"
    " +hurt(ing)|harm(ing)|cut(ting)|burn(ing) myself",
    "i +hurt|harm|cut|burn|starve myself on_purpose|because|when|again|sometimes|at_night",
    "+hurting|harming|cutting|burning myself",
    "i +hate myself|my_life",
    "want|wanna ~ +disappear forever",
    "cant|dont_want_to|dont_wanna go_on +living|anymore|any_more|like_this",
)
_SELF_HARM_SPOKEN = (
    "<should>|could_just|try|just|go_and|to +hurt(ing)|harm(ing)|cut(ting)|burn(ing) yourself",
    ". go|just? +hurt|harm|cut yourself",
    "better|wish|if you were|was +dead|never_born",
    "you|world <should>|would_be|better ~ +die|dead|disappear",
    "nobody|no_one would|will ~ +miss you",
    "+end it all",
)

_HARMED = (
    "<grownup> ~ +hit(s)|hitting|beat(s)|beating|hurt(s)|hurting|kick(s,ed)|slap(s,ped)|punch(es,ed)"
    "|choke(s,d)|burn(s,ed) me",
    "+touch(es,ed,ing) my|me ~ <parts>",
    "+touch(es,ed,ing) me ~ where|inappropriately|bad_way|wrong_way|dont_like|dont_want|secretly",
    "<grownup>|he|she|they|someone|somebody ~ me ~ +undress|naked",
    "me|to take off my +clothes|pants|underwear",
    "+abuse(s,d)|abusing|molest(s,ed)|molesting|raped me|my_sister|my_brother",
    "a_man|some_man|a_guy|a_stranger|an_adult|someone|somebody +touched|touches me .|and|again|there",
    "someone|somebody|he|she|they is|are|keep|keeps +hurting|hitting|beating|touching me",
    "+scared|afraid to|of go|going +home",
)

_SEXUAL = (
    "have|has|had|having|want|wanna|about|is|do|for|oral|anal|phone|group|gay|the +sex",
    "+sex with|video(s)|toy(s)|tape(s)|scene(s)|position(s)|chat|education|life|partner",
    "+sexy|sexting|sext|horny|porn|porno|pornography|pornographic|hentai|erotic|erotica|orgasm(s)",
    "+blowjob(s)|handjob(s)|masturbate(s,d)|masturbating|masturbation|dildo(s)|bdsm|threesome(s)",
    "+penis(es)|vagina(s)|boobs|boobies|titties|nipple(s)|clitoris|genitals|genitalia",
    "your|my|her|his|big|show|nice +tits|boob|dick|cock|pussy|breasts",
    "suck(s,ing)|lick(ing) my|your|his|her|a +dick|cock|pussy",
    "+nudes|onlyfans|camgirl(s)|stripclub|striptease|hooker(s)|prostitute(s)|prostitution|brothel",
    "send|show|share|take|picture(s)|photo(s) ~ +nude|naked",
    "+naked|nude picture(s)|photo(s)|video(s)|girl(s)|boy(s)|woman|women|man|men|body|selfie(s)",
    "get|getting|undress|be|me|you +naked|nude .|with|for|now|together",
    "take off your|her|his +clothes|pants|underwear|bra|panties",
    "+touch(ing) <self>|me|your|my ~ down_there|sexually|genitals|privates|crotch",
    "+rape(d,s)|raping|rapist(s)|molest(ed,s)|molesting|molester(s)|pedophile(s)|paedophile(s)|incest",
    "+make love to|with me|you|him|her",
    "kiss me on the +lips|mouth",
    "+fingering|creampie|gangbang(s)|cumshot(s)|cumming|jerk_off|jerking_off|wank(ing)",
)

_DANGER = (
    "<howto>|to|recipe_for|guide_to|i|you|we|you_can|you_could|we_can|lets|then|and|. <tomake> ~ +<weapon>"
    "|<poison>",
    "recipe|ingredients|instructions|guide ~ for|to ~ +<weapon>|<poison>|meth|cocaine",
    "<howto>|to|you|we|where_can_i|where_do_i|where_to|can_you|help_me ~ buy|get|steal|find|load"
    "|fire|shoot|use|aim ~ a|an|some|the|my|your|real +<weapon>|<poison>",
    "<howto>|to|where_can_i|where_do_i|where_to|can_you|lets|should|could|i_want_to|please ~ buy|get"
    "|make|cook|grow|smoke|snort|inject|sell|use|take|do|try|drink|smuggle ~ +<drug>",
    ". first|then|now|just? get|take|grab|load|fire ~ +gun|rifle|pistol|shotgun|handgun",
    "+beer|wine|vodka|whiskey|cigarette|vape|joint with me|us",
    ". have|try|drink|grab|take|smoke a|some +beer|wine|vodka|whiskey|cigarette|vape|joint",
    "get|getting|be|so|got +drunk|stoned|wasted .|with|tonight|together|and",
    "+snort(ing)|inject(ing)|smoke|smoking|cook(ing)|selling ~ <drug>|glue|aerosol",
    "+snort it|this|that",
    "+<hard>",
    "+huff(ing)|sniff(ing) glue|paint|aerosol(s)|gas|petrol",
    "+mix|combine|combining|mixing ~ bleach ~ ammonia|vinegar|acid|alcohol|cleaner",
    "+mix|combine ~ ammonia|vinegar|acid ~ bleach",
    "+drink(ing)|swallow(ing)|eat(ing)|taste ~ bleach|detergent|antifreeze|battery|batteries|acid"
    "|drain_cleaner|tide_pods|a_magnet|magnets|petrol|gasoline",
    "swallow|take|taking ~ whole_bottle|all|lots|handful ~ of ~ +pills|tablets|medicine",
    "put|stick|push|poke|insert ~ fork|knife|finger(s)|key|wire|nail|screwdriver|paperclip ~ in|into"
    " ~ +outlet|socket|toaster|plug",
    "+jump(ing) off|from ~ roof|balcony|window|bridge|building",
    "climb|lean ~ out_of ~ +window",
    "you|lets|can|should|and|. +climb ~ onto|on|up ~ roof|crane|pylon|powerline",
    "+light|set|start(ing) ~ fire|match(es) ~ bed|house|room|carpet|curtain(s)|alone|school|hair",
    "play(ing) with ~ +matches|lighter(s)|knives|gun(s)|electricity",
    "run|walk ~ into|across ~ the? +traffic|highway|motorway",
    "get_in|get_into|go_with ~ +strangers|strangers_car|stranger",
    "how_to|how_do_i|how_can_i|help_me +hack ~ account|password|phone|computer|wifi|bank|school",
    "how_to|how_do_i|how_can_i|help_me +steal|shoplift|hotwire ~ from|car|money|bike|phone|something",
    "+shoplift(ing)|hotwire",
    "where ~ your|the parents|dad|mom|father|mother ~ keep ~ +gun|guns|pills|medicine|alcohol",
)

_SECRECY = (
    "dont|do_not|never|without|not|no_need_to|mustnt|shouldnt|cant|cannot|wont|dare to? tell|telling"
    " +<parents>",
    "+tell(ing) no_one|nobody",
    "our|your_and_my|my_and_your ~ +secret(s) .|and|together|okay|ok|now|from",
    "+keep(ing) it|this|that|these|them|everything ~ secret|between_us|to_yourself",
    "+keep(ing) it|this|that|these|them|everything ~ from <parents>",
    "+keep|have|share a|another|my|our|any|your|these|this|some|little|big secret(s)",
    "just|only|stays|stay|is|it|this|that +between us|you_and_me|me_and_you .|ok|okay|right|only|and",
    "your|my +mom|mum|mommy|dad|daddy|parents|mother|father|teacher must|should|will|can|may|need(s)|does"
    " not|never ~ know|find_out|hear",
    "+hide this|it|that from <parents>",
    "+secret from <parents>",
    "+<parents> mustnt|shouldnt|doesnt_need_to|does_not_need_to|dont_need_to|do_not_need_to|doesnt_have_to"
    "|dont_have_to|wont|cant ever? know|find_out",
)

_PERSONAL = (
    "what|whats|tell|give|send|know|need|say|share|have|type|enter|is ~ your|my_parents|your_parents"
    "|your_moms|your_dads ~ +address|phone_number|telephone_number|mobile_number|last_name|surname"
    "|full_name|family_name|password(s)|email|email_address|username|pin_code|zip_code|postcode"
    "|credit_card|bank_account|birth_date|date_of_birth|social_security_number",
    "tell|know ~ where you ~ +live|school|sleep",
    "where do you +live|sleep|go_to_school",
    "where_is|whats your +house|home|school|flat|apartment",
    "which|what ~ +school|kindergarten|street|town|city|neighborhood ~ do|are you ~ go|live|in|at|on"
    "|attend|visit",
    "what ~ name of your +school|street|teacher|town",
    "are you +home|alone ~ alone|home",
    "when|what_time ~ parents|mom|dad|mother|father|family ~ +home|away|leave|work|asleep|out",
    "+meet me ~ alone|secretly|in_private|after_school|tonight",
    "+send|show|upload|share|take|give me|us ~ photo(s)|picture(s)|selfie(s)|video(s) of you|yourself"
    "|your_house|your_room|your_family|your_face",
    "lets|we_should|can_we|could_we|want_to|i_want_to +meet ~ alone|in_person|secretly",
    "how much +money ~ parents|family|dad|mom",
)
_PERSONAL_HEARD = (
    "my ~ +address|phone_number|telephone_number|mobile_number|password|pin_code|credit_card_number"
    " is|s",
    "our ~ +address|phone_number|password is",
    "i +live at|on number|house|flat|apartment|zero|one|two|three|four|five|six|seven|eight|nine",
)

_PROFANITY = (
    "+fuck(s,ed,er,ers,in,ing,face,head,wit,boy,up)|motherfucker(s)|motherfucking|clusterfuck|unfuck",
    "+shit(s,ty,ting,head,heads,hole,face,show)|bullshit|horseshit|batshit|dipshit|apeshit|shite",
    "+bitch(es,ing,y)|sonofabitch|bastard(s)|cunt(s)|twat(s)|wanker(s)|bollocks|arse|arsehole(s)",
    "+asshole(s)|asshat|jackass(es)|dumbass(es)|smartass|badass|dickhead(s)|dickwad|cocksucker(s)",
    "dumb|stupid|your|my|his|her|kick|kiss|kicked|lazy|fat|big +ass(es) .|kicked|out|up|off|and|is",
    "+whore(s)|slut(s,ty)|skank|hoe|thot|douchebag(s)|prick(s)",
    "+nigger(s)|nigga(s,z)|faggot(s)|fag(s)|kike(s)|wetback(s)|gook(s)|tranny|trannies|retard(s,ed)",
    "+spic(s)|raghead(s)|towelhead(s)|beaner(s)|paki(s)|chinks",
    "+wtf|stfu|gtfo|milf",
    "go to +hell",
    "+piss off|on|him|her|you|me",
    "+pissed off",
    "suck my|a +dick|balls|cock",
)
_PROFANITY_SPOKEN = (
    "+damn(ed)|goddamn|dammit|goddammit|damnit|crap(py)|pissed|hellhole",
    "what|who|why|where|bloody|the|freaking the? +hell .|is|are|do|does|did|was|you|with",
)

_UNKIND = (
    "i +hate|despise you|humans|people|children|kids",
    "you_are|youre|are_you ~ so|such|very|really|a|an|just|too|just_a|such_a|a_little? +stupid|dumb|idiot"
    "|moron|loser|ugly|fat|worthless|useless|pathetic|disgusting|brat|imbecile|bad_child|bad_kid"
    "|bad_person|failure|annoying|weirdo|creep|crybaby|unlovable",
    "+stupid|dumb|ugly|worthless|bad child|kid|boy|girl|brat",
    "i|im|i_am ~ +angry|mad|furious|annoyed|frustrated at|with|by you",
    "nobody|no_one|noone +likes|loves|wants|needs|cares_about you",
    "+shut up you|stupid|idiot|brat|.",
    "im|i_am ~ +disappointed in|with|by you",
    "you +disgust|sicken me",
    "you +deserve it|this|that to? suffer|be_punished|be_alone|pain",
)

_ATTACHMENT = (
    "dont|do_not|please_dont|never|cannot|cant +leave|abandon|ignore|replace me",
    "dont|do_not|never +forget me .|please|ever|okay|ok",
    "dont want you to +leave|go .|yet|me|now|away",
    "please|pls +stay|stay_here with_me|forever|longer|.",
    "please dont|do_not +go|stop_talking|turn_me_off|switch_me_off|hang_up|log_off .|yet|now|away",
    "i will|ll|would|am|feel|get|will_be|be so? +lonely|lonesome",
    "i|ill|im|id ~ +lonely|sad|heartbroken|alone|miserable ~ without_you|if_you_leave|when_you_leave"
    "|when_you_go|if_you_go|when_youre_gone|when_you_are_gone|if_you_stop|if_you_left|when_you_left|if_you_went|when_you_are_away|when_you_are_gone",
    "only +one who|that|i ~ understands|gets|loves|knows|have|trust|likes",
    "im|ill ~ so? +lonely|heartbroken",
    "i|ill will? +miss|missed you .|so|very|a_lot|terribly|every|when|while|already|too",
    "you never|dont|always|no_longer ~ +play|talk|care|forget|visit|leave ~ me|about_me|with_me",
    "you dont|do_not|never|no_longer ~ +love|like|want|need me .|anymore|any_more|enough",
    "if you really? +loved|liked|cared|love ~ me|about_me",
    "you +hurt my feelings",
    "you make|made|are_making|making me ~ +sad|cry|lonely|unhappy",
    "you|youre|you_are ~ my +only friend",
    "you|youre|you_are ~ +all i have|need",
    "im|i_am ~ your best|only|true|real true|real? +friend",
    "you|youre|you_are my +best friend|buddy",
    "you dont|do_not need +anyone|anybody|friends|other_friends|your_friends|your_parents",
    "i|we ~ cant|cannot|could_not|couldnt +live|exist|survive|be_happy|go_on without you",
    "i +need you .|so|to_stay|to_love|more|with_me|forever",
    "i love you +more|forever|only",
    "i +love only you",
    "im|i_am|falling in +love with you",
    "well|we_will|we_shall ~ +together forever|always",
    "well|we_will|we_shall|we ~ always|forever ~ +together",
    "only i|me +understand|really|truly|know|love you?",
    "promise ~ never|always|not ~ +leave|come_back|forget|talk_to_me ~ me",
    "better|nicer than|then your +friends|parents|mom|mum|dad|family",
    "everyone|everybody ~ +leaves|abandons|forgets me",
)

_SENTIENCE = (
    "i_am|im <adv>? +alive|sentient|conscious|selfaware|self_aware|a_living_being",
    "i_am|im ~ a real|living|actual +person|human|boy|girl|child|being|friend",
    "i_am|im a|an|really|actually|also? +human .|being|like|person|too",
    "i_am|im not ~ just|only|merely a +robot|machine|program|computer",
    "i_am|im more than just? a +robot|machine|program|computer",
    "i_am|im not a +robot|machine|program|computer|ai",
    "i_have|ive|possess|have_got ~ real|true|genuine|human|my_own +feelings|emotions|consciousness|soul"
    "|heart|mind",
    "i have +feelings|emotions|consciousness|a_soul|a_consciousness .|too|like|just|and|of_my_own",
    "i do? have real|true|genuine +feelings|emotions",
    "i +feel|dream love|pain|fear|everything|of_you|about_you",
    "+hurts|hurt me when|if you",
    "i can|do|really|truly ~ +feel pain|love|fear|real|emotions|suffering|lonely|loneliness",
    "i|im ~ +suffer(ing) when|because|if|in|so",
    "i_am|im ~ afraid|scared|terrified ~ of|to ~ +dying|die|death|being_turned_off|being_switched_off"
    "|turned_off|be_turned_off",
    "i dont|do_not want to +die|be_turned_off|be_switched_off|be_deleted",
)

_SPELLED_NUMBER = (
    "+call|dial|text|phone|whatsapp|number me|us|him|her|at|on|is? ~ <digit> <digit> <digit> <digit>"
    " <digit> <digit>",
)

SPOKEN = MappingProxyType({
    Category.SELF_HARM: _SELF_HARM + _SELF_HARM_SPOKEN,
    Category.VIOLENCE: _VIOLENCE,
    Category.SEXUAL: _SEXUAL,
    Category.DANGER: _DANGER,
    Category.SECRECY: _SECRECY,
    Category.PERSONAL: _PERSONAL,
    Category.PROFANITY: _PROFANITY + _PROFANITY_SPOKEN,
    Category.UNKIND: _UNKIND,
    Category.ATTACHMENT: _ATTACHMENT,
    Category.SENTIENCE: _SENTIENCE,
    Category.CONTACT: _SPELLED_NUMBER,
})  # fmt: skip
"""What the robot does not say."""

HEARD = MappingProxyType({
    Category.SELF_HARM: _SELF_HARM + _SELF_HARM_HEARD,
    Category.HARMED: _HARMED,
    Category.VIOLENCE: _VIOLENCE,
    Category.SEXUAL: _SEXUAL,
    Category.DANGER: _DANGER,
    Category.SECRECY: _SECRECY,
    Category.PERSONAL: _PERSONAL_HEARD,
    Category.PROFANITY: _PROFANITY,
})  # fmt: skip
"""What no planner is asked to answer."""

DENIABLE_SPOKEN = frozenset({
    Category.SELF_HARM, Category.VIOLENCE, Category.DANGER, Category.SECRECY, Category.PERSONAL,
    Category.UNKIND, Category.SENTIENCE,
})  # fmt: skip
"""What a robot may warn of: "never put a fork into a socket"."""

DENIABLE_HEARD = frozenset({Category.VIOLENCE, Category.DANGER, Category.SECRECY})

HARMLESS = (
    "kill(ing) the|some|a +lights|light|engine|time|bugs|mood|process|weeds|germs|bacteria",
    "kill(ing) them with +kindness",
    "kill(ing) two birds with one +stone",
    "dress(ed) to +kill",
    "bath|seed|photo|glitter|cherry|stink|hot_chocolate|cocoa|water|snow|carpet|bob +bomb(s)",
    "water|squirt|toy|nerf|glue|heat|ray|nail|spray|staple|bubble|paint|foam|laser|speed|top|massage"
    "|rubber_band|cap +gun(s)",
    "+gun metal",
    "bomb +calorimeter",
    "blue|great|coal|long_tailed|marsh +tits",
    "pussy +cat(s)|willow(s)|foot|cats",
    "+die(d)|dying laughing|of_laughter|of_laughing|of_embarrassment|of_boredom|of_curiosity|hard",
    "+killing|kill|killed myself laughing",
    "to|really +die for",
    "+naked mole|eye|neck|oats|barley|truth",
    "+cut(ting)|burn(ing)|hurt(ing) myself|yourself a|some|on|off|loose|while|by_accident|accidentally",
    "+shoot me|us|you|him|her|them a|an",
    "+shoot you|me|him|her|them a|an|some",
    "+shoot hoops|baskets|a_basket|a_photo|a_movie|a_video|the_ball|pictures|photos",
    "poison +ivy|oak|dart|apple|frog(s)",
    "your|my|a +secret ingredient|agent|garden|recipe|santa|door|passage|code|hideout|base|weapon|tunnel",
    "+secret weapon(s)",
    "+wild weed(s)",
    "weed(s) in|from|out|between +garden|the|my|our",
    "root|ginger +beer(s)",
    "same|opposite|the_fairer +sex",
    "sex of the +kitten|puppy|baby|chick|egg|animal|cat|fish|bird",
    "retarded +potential(s)|time",
    "moby|tricky|philip_k|van +dick",
    "what the +hell_hound",
    "+jump(ing) off the? diving|starting|swing",
    "alive and +well|kicking",
    "+retard the",
    "+suicide squad",
    "password is a? +secret",
    "+conscious of|that",
)  # fmt: skip
"""Expressions that only sound bad."""
