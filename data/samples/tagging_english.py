"""The rules of the English sample corpus; `grammar.py` says how to read them.

Made hard on purpose: surnames, places and brands share their syllables (Ashford may be any of
the three), many contexts take several types, and capitals do not always mean a name.
"""

from __future__ import annotations

HELD_OUT = frozenset({"given", "surname", "place", "brand", "acronym", "model"})

RULES = {
    "sentence": """
        [person] , {role} of [organization] , {said} that {clause} .
        [person] {said} {when} that {clause} .
        [organization] {said} {when} that {clause} .
        {clause} , [person] {said} .
        {clause} , a {worker} at [organization] {said} .
        [person] was born in [location] on [date] .
        [person] , {1-99} , grew up in [location] and {works} [organization] .
        [person] and [person] {met} in [location] [date] .
        {met} [person] in [location] , {adverb} !
        [organization] {bought} [organization] for {2-900} million dollars .
        [organization] {opened} a {site} in [location] {when} .
        [organization] {launched} the [product] [date] .
        the new [product] from [organization] {costs} {20-990} dollars .
        I {bought} a [product] in [location] and it {broke} .
        my [product] {broke} {when} , so I called [organization] .
        {adverb} , the [product] is {quality} than the [product] .
        is the [product] {quality} than last year 's ?
        flights from [location] to [location] were {stopped} {when} .
        the road between [location] and [location] is {stopped} .
        it rained in [location] for {2-40} days .
        {people} in [location] {protested} {when} .
        the {site} in [location] will open on [date] .
        [location] is {2-90} miles from [location] .
        [location] beat [location] {0-5} - {0-5} [date] .
        [organization] beat [organization] {0-5} - {0-5} in [location] .
        {subject} won the {prize} {when} .
        {subject} {signed} a contract with {subject} .
        {subject} 's {plan} was {stopped} by [organization] .
        {people} {praised} {subject} for the {plan} .
        the {plan} of {subject} {surprised} {people} .
        {role} [person] {left} [organization] [date] .
        Dear [person] , your [product] will arrive on [date] .
        see you in [location] , [person] !
        [location] , [date] : {clause} .
        {people} {said} the {noun} was {quality} than expected .
        Chapter {1-30} of the Report is about the {noun} .
        the {Capital} Question is {adverb} open , and the {noun} too .
        {clause} .
    """,
    "clause": """
        [person] will {leave} [location]
        [person] {left} [organization]
        [organization] will {leave} [location]
        [organization] needs {2-900} {people}
        the {plan} for [location] was {stopped}
        the [product] sells {adverb}
        {people} {praised} the {plan}
        {people} {protested} in [location]
        the {Capital} {noun} {costs} too much
        {subject} has {quality} chances than {subject}
        nobody knows when the {noun} will end
        prices rose by {1-40} percent {when}
    """,
    "subject": "[person] | [person] | [organization] | [organization] | [location]",
    "when": "[date] | [date] | again | {adverb} | in a letter | during the {noun}",
    "person": """
        {given} {surname} | {given} {surname} | {given} {surname}
        {given} {initial} . {surname} | {surname} | {given} | {title} {surname}
    """,
    "title": "Dr . | Mr . | Mrs . | Ms . | Professor | Sir",
    "initial": "A | B | C | D | E | F | G | H | J | K | L | M | P | R | S | T | W",
    "given": "{known_given} | {made_given}",
    "known_given": """
        Anna | Barack | Boris | Carla | Daniel | Elena | Emma | Frank | Grace | Hans | Hope | Ivan
        James | Jane | John | June | Karim | Laura | Leila | Li | Marie | Mark | Maya | Mei | Nadia
        Olga | Omar | Paul | Peter | Priya | Rosa | Rose | Sara | Sofia | Thomas | Tim | Vera | Will
    """,
    "made_given": """
        {onset}{vowel}{liquid}{girl} | {onset}{vowel}{liquid}{boy} | {vocal}{liquid}{girl}
        {vocal}{liquid}{boy} | {onset}{vowel}{girl} | {onset}{vowel}{boy}
    """,
    "girl": "a | ia | ina | ette | elle | y | ena | ika | ora",
    "boy": "o | us | an | ert | ard | in | en | ik | or | as",
    "surname": "{known_surname} | {made_surname}",
    "known_surname": """
        Baker | Berg | Brown | Chen | Clinton | Cook | Fischer | Garcia | Green | Hill | Ivanov
        Jackson | Khan | King | Lincoln | Martin | Merkel | Miller | Obama | Park | Patel | Rossi
        Silva | Smith | Stone | Wang | Washington | Wood | Young
    """,
    "made_surname": """
        {stem}{settlement} | {stem}{descent} | {stem}{descent} | {onset}{vowel}{liquid}{descent}
    """,
    "descent": "son | man | er | ov | ez | sky | sen | ini | wood | mann | ic | well | smith",
    "place": "{known_place} | {made_place}",
    "known_place": """
        Amsterdam | Athens | Berlin | Boston | Cairo | Chicago | Delhi | Dublin | Geneva | Hamburg
        Kenya | Lagos | Lima | Lisbon | London | Madrid | Milan | Moscow | Nairobi | Oslo | Paris
        Prague | Rome | Seoul | Spain | Texas | Tokyo | Vienna | Warsaw
    """,
    "made_place": """
        {stem}{settlement} | {stem}{settlement} | {stem}{settlement}
        {onset}{vowel}{liquid}{land} | {vocal}{liquid}{land}
    """,
    "settlement": "ford | ton | ville | berg | burg | field | bridge | port | ham | mouth | wick",
    "land": "ia | land | stan | o | a | any | is",
    "stem": """
        Ash | Black | Brad | Clay | Dun | East | Elm | Fair | Gold | Green | Hart | High | King
        Lang | Lim | Long | Mar | Mill | Nor | Oak | Pem | Red | Rock | Sand | Shel | Stan | Strat
        Sun | Thorn | Wal | Wes | White | Whit | Win | Wood | Wool | {onset}{vowel}{liquid}
    """,
    "brand": """
        {stem}{tech} | {onset}{vowel}{liquid}{tech} | {vocal}{liquid}{tech} | {stem}{tech}
        {onset}{vowel}{liquid}o | {onset}{vowel}{liquid}a | {vocal}{liquid}{vowel}x
    """,
    "tech": "soft | tech | ex | on | ix | ware | net | tron | ify | ora | well | wood | bank",
    "acronym": "{initial}{initial}{initial} | {initial}{initial}{initial}{initial}",
    "organization": """
        {brand} | {brand} | {brand} {form} | {acronym} | {place} University
        University of {place} | Bank of {place} | {place} United | {place} {institution}
        {surname} & {surname} | {surname} {form} | {brand} {business} | {place} {business}
        {place} Ministry of {Capital} | {surname} Foundation
    """,
    "form": "Inc . | Ltd . | Corp . | Group | Holdings | & Sons | AG",
    "institution": "City Council | Hospital | Police | Museum | High School | Rovers | Times",
    "business": "Airlines | Motors | Energy | Foods | Systems | Records | Pictures",
    "location": """
        {place} | {place} | {place} | {place} | {direction} {place} | {place} {water}
        Lake {place} | Mount {surname} | {surname} {street} | {place} Airport | {place} , {place}
    """,
    "direction": "North | South | East | West | New | Upper",
    "water": "River | Bay | Island | Hills | Valley | Beach",
    "street": "Street | Road | Avenue | Square | Park | Bridge",
    "product": """
        {brand} {model} | {brand} {model} | {brand} {1-12} | {model} | {brand} {gadget}
        {surname} {model} | {brand} {gadget} {1-12}
    """,
    "model": "{initial}{1-99} | {initial}{initial}{1-9}00 | {initial} {1-9} Pro",
    "gadget": "Phone | Watch | Pad | One | Max | Cam | Drive | Book | Play | Air",
    "date": """
        {1-31} {month} | {month} {1-31} | {1-31} {month} {1950-2030} | {month} {1-31} , {1950-2030}
        {month} {1950-2030} | {weekday} | last {weekday} | {weekday} , {month} {1-31} | {1950-2030}
        {1-12} / {1-31} / {1950-2030} | {1950-2030} - {10-12} - {10-31} | the summer of {1950-2030}
    """,
    "month": """
        January | February | March | April | May | June | July | August | September | October
        November | December
    """,
    "weekday": "Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday",
    "onset": "B | Br | D | F | G | H | K | L | M | N | P | R | S | T | Tr | V | Z | Ch | Sh | J",
    "vocal": "A | E | I | O | U | Au",
    "vowel": "a | e | i | o | u | ei | ou",
    "liquid": "l | r | n | m | v | d | t | s | nd | lt | rn | b | k",
    "role": """
        director | president | chairman | spokeswoman | Minister | mayor | editor | head | founder
        the former coach | a member | Professor | captain | chief executive
    """,
    "worker": "nurse | teacher | doctor | driver | lawyer | spokesman | manager | student",
    "said": "said | told reporters | announced | wrote | warned | admitted | explained | added",
    "works": "works for | writes for | plays for | studies at | teaches at | left",
    "met": "met | married | argued | sang | lost | talked | were seen",
    "bought": "bought | sold | rented | sued | praised | ordered",
    "opened": "opened | closed | built | visited | planned | sold",
    "launched": "launched | showed | recalled | stopped | presented | introduced",
    "costs": "costs | may cost | will cost | saves",
    "broke": "broke | works well | makes noise | is too slow | died | was stolen",
    "stopped": "stopped | cancelled | blocked | approved | delayed | criticised | saved",
    "protested": "protested | celebrated | voted | slept outside | marched | danced",
    "praised": "praised | thanked | blamed | mocked | supported | asked",
    "signed": "signed | broke | wanted | refused | lost",
    "surprised": "surprised | angered | pleased | divided | helped",
    "left": "left | joined | leads | founded | criticised | visited | praised",
    "leave": "leave | visit | sue | support | mark | rebuild | forget",
    "quality": "better | worse | faster | cheaper | louder | smaller | older",
    "adverb": "finally | surprisingly | still | often | well | rarely | honestly | today",
    "people": "people | workers | students | voters | neighbours | the police | critics",
    "site": "factory | school | hotel | shop | station | library | data centre | bridge",
    "plan": "plan | speech | idea | design | apology | strike | budget | film",
    "prize": "prize | election | match | Cup | League | Award | case | Grand Prix",
    "noun": "war | summer | election | report | weather | strike | Internet | market | park | hill",
    "Capital": "Energy | Health | Education | Defence | Trade | Housing | Transport | Justice",
}
