"""The rules of the Chinese-English sample corpus; `synchronous_grammar.py` says how to read them.

What the sentences are about is everyday life; what they make a model learn is what keeps
translation from being word for word: measure words against articles and plurals, time and place
before the verb, relative clauses before the noun, tense from particles and time words, do-support,
把 and 被, comparison, names of two scripts, and pronouns that agree with whom they stand for.

Nothing is ambiguous here, in either direction: 很 before an adjective is left untranslated, 非常 is
"very", a time that comes first comes first in both languages, and whether a noun that stands alone
is "the", plural or neither hangs on the pattern.

The words lie in `translation_words.py`, the patterns in `translation_sentences.py`.
"""

from __future__ import annotations

from .translation_sentences import SENTENCES
from .translation_words import ADJECTIVES, PEOPLE, PLACES, THINGS, TIMES

NOUN_PHRASES = {
    "pronoun": "我 = I (I); 他 = he (he); 她 = she (she)",
    "name": "{*her_name}; {*his_name}; {surname}{*second_name} = {surname} {*second_name}",
    "titled": "{surname}先生 = Mr. {surname} (he); {surname}女士 = Ms. {surname} (she)",
    "kin": "{*woman}; {*man}",
    "relative": "我{*kin} = my {*kin}; 他{*kin} = his {*kin}; 她{*kin} = her {*kin}",
    "person": "{*name}; {*name}; {*relative}; {*titled}",
    "stranger": "{*name}; {*name}; {*titled}",
    "several": "我们 = we (we); 他们 = they (they); {name}和{name2} = {name} and {name2} (they)",
    "one": "{*pronoun}; {*person}; {*person}",
    "who": "{*pronoun}; {*person}; {*person}; {*several}",
    "other": "{*pronoun}; {*person}; {*person}",
    "asked_one": """
        你 = you (you); 他 = he (he); 她 = she (she); {*stranger}; {*stranger}
        你{*kin} = your {*kin}
    """,
    "asked": "{*asked_one}; {*asked_one}; {*asked_one}; 他们 = they (they)",
    "whose": "我的 = my; 他的 = his; 她的 = her; {person}的 = {person}'s; {person}的 = {person}'s",
    "whose_alone": """
        我的 = mine; 他的 = his; 她的 = hers; {person}的 = {person}'s; {person}的 = {person}'s
    """,
    "animal": "{*pet}; {*wild}; {*farm}",
    "furry": "猫/只 = cat; 狗/条 = dog; 兔子/只 = rabbit",
    "portable": "{*gadget}; {*gadget}; {*reading}; {*mail}; {*private}",
    "ware": "{*gadget}; {*clothes}; {*big}",
    "goods": "{*ware}; {*ware}; {*ware}; {*reading}",
    "a": "一{X.measure}{X} = a {X}",
    "this": "这{X.measure}{X} = this {X}",
    "that": "那{X.measure}{X} = that {X}",
    "some": "{a:X}; {a:X}; {few}{X.measure}{X} = {few} {X.plural}; 很多{X} = many {X.plural}",
    "couple": """
        {a:X}; {a:X}; 两{X.measure}{X} = two {X.plural}; 三{X.measure}{X} = three {X.plural}
    """,
    "fine": """
        {couple:X}; {couple:X}; 一{X.measure}{look}{X} = a {look} {X}
        两{X.measure}{look}{X} = two {look} {X.plural}
    """,
    "creature": """
        {some:X}; {some:X}; 一{X.measure}{coat}{X} = a {coat} {X}
        {few}{X.measure}{coat}{X} = {few} {coat} {X.plural}
    """,
    "cup": """
        一杯{hot_drink} = a cup of {hot_drink}; {few}杯{hot_drink} = {few} cups of {hot_drink}
        一杯{cold_drink} = a glass of {cold_drink}; 一瓶{cold_drink} = a bottle of {cold_drink}
        {few}瓶{cold_drink} = {few} bottles of {cold_drink}
    """,
    "show": "电影/部 = movie; 足球比赛/场 = soccer game; 电视节目/个 = TV show",
    "spot": """
        {surface}上 = on the {surface}; {surface}下面 = under the {surface}
        {surface}旁边 = next to the {surface}; {box}里 = in the {box}; {box}里 = in the {box}
    """,
    "liked": """
        {hobby} = {hobby.ing}; 吃{dish} = {dish}; 喝{hot_drink} = {hot_drink}
        喝{cold_drink} = {cold_drink}; {animal} = {animal.plural}; {animal} = {animal.plural}
    """,
}

VERB_PHRASES = {
    "skill": """
        游泳 = *swim; 跳舞 = *dance; 唱歌 = *sing; 弹钢琴 = *play the piano; 做饭 = *cook
        弹吉他 = *play the guitar; 下棋 = *play chess; 开车 = *drive; 骑自行车 = *ride a bicycle
        打篮球 = *play basketball; 踢足球 = *play soccer; 打网球 = *play tennis; 滑雪 = *ski
        滑冰 = *skate; 画画 = *paint
    """,
    "hobby": """
        {*skill}; {*skill}; 看书 = *read; 看电视 = *watch TV; 听音乐 = *listen to music
        爬山 = *climb mountains; 钓鱼 = *go fishing; 旅行 = *travel; 跑步 = *run
        玩游戏 = *play games; 购物 = *go shopping; 拍照 = *take photos
    """,
    "art": """
        唱歌唱得 = *sing; 跳舞跳得 = *dance; 游泳游得 = *swim; 做饭做得 = *cook
        钢琴弹得 = *play the piano; 网球打得 = *play tennis; {language}说得 = *speak {language}
        {language}说得 = *speak {language}; 画画画得 = *paint
    """,
    "chore": """
        做饭 = *cook; 洗衣服 = *wash clothes; 打扫{room} = *clean the {room}
        洗碗 = *wash the dishes
        工作 = *work; 学习 = *study; 学{language} = *study {language}
        修{machine} = *repair the {machine}
        写信 = *write a letter; 洗车 = *wash the car; 做蛋糕 = *make a cake
    """,
    "doing": """
        {*chore}; {*chore}; 看书 = *read; 看电视 = *watch TV; 听音乐 = *listen to music
        跳舞 = *dance; 唱歌 = *sing; 下棋 = *play chess; 睡觉 = *sleep; 休息 = *rest
        吃早饭 = *have breakfast; 吃晚饭 = *have dinner; 打电话 = *talk on the phone
        喝{hot_drink} = *drink {hot_drink}; 吃{dish} = *eat {dish}; 看报纸 = *read the newspaper
        弹钢琴 = *play the piano; 玩游戏 = *play games
    """,
    "background": """
        听音乐 = *listen to music; 唱歌 = *sing; 看电视 = *watch TV; 听广播 = *listen to the radio
    """,
    "routine": """
        跑步 = *run; 游泳 = *swim; 看报纸 = *read the newspaper; 喝{hot_drink} = *drink {hot_drink}
        打扫{room} = *clean the {room}; 学{language} = *study {language}; 散步 = *take a walk
        弹钢琴 = *play the piano; 看电视 = *watch TV; 做饭 = *cook; 去{place} = *go to the {place}
        喝{cold_drink} = *drink {cold_drink}; 吃{dish} = *eat {dish}; 听音乐 = *listen to music
    """,
    "scene": """
        公园{*outdoors} = {*outdoors} in the park; 海边{*outdoors} = {*outdoors} on the beach
        图书馆{*desk_work} = {*desk_work} at the library
        咖啡馆{*desk_work} = {*desk_work} at the coffee shop
        家{*indoors} = {*indoors} at home; 办公室{*desk_work} = {*desk_work} in the office
    """,
    "outdoors": """
        散步 = *take a walk; 跑步 = *run; 拍照 = *take photos; 踢足球 = *play soccer
        唱歌 = *sing; 骑自行车 = *ride a bicycle; 画画 = *paint; 放风筝 = *fly kites
    """,
    "desk_work": """
        看书 = *read; 学习 = *study; 工作 = *work; 写信 = *write letters
        看报纸 = *read the newspaper
        喝{hot_drink} = *drink {hot_drink}; 学{language} = *study {language}
    """,
    "indoors": """
        看电视 = *watch TV; 听音乐 = *listen to music; 做饭 = *cook; 看书 = *read; 休息 = *rest
        洗衣服 = *wash clothes; 玩游戏 = *play games; 工作 = *work
    """,
    "task": "{*housework}; {*errand}; {*errand}; {*contact}",
    "housework": """
        洗~碗 = *wash the dishes; 打扫~{room} = *clean the {room}; 做~饭 = *cook
        洗~{that:clothes} = *wash {that:clothes}; 浇~花 = *water the flowers; 做~蛋糕 = *make a cake
        喂~{pet} = *feed the {pet}; 洗~{that:clothes} = *wash {that:clothes}
        倒~垃圾 = *take out the trash
    """,
    "favor": """
        寄~{that:mail} = *send {that:mail}
        修~{that:machine} = *repair {that:machine}; 修~{that:machine} = *repair {that:machine}
    """,
    "errand": """
        {*favor}; {*favor}; {*favor}; 读~{that:reading} = *read {that:reading}
        买~{that:goods} = *buy {that:goods}; 付~房租 = *pay the rent
        卖~{that:machine} = *sell {that:machine}; 看~{that:show} = *watch {that:show}
        去~{place} = *go to the {place}; 去~{place} = *go to the {place}
    """,
    "contact": """
        给{other}打~电话 = *call {other.object}; 帮助~{other} = *help {other.object}
        去机场接~{other} = *pick {other.object} up at the airport
        给{other}写~信 = *write to {other.object}
        邀请~{other}参加聚会 = *invite {other.object} to the party
    """,
    "deed": """
        买~{fine:goods} = *buy {fine:goods}; 买~{fine:goods} = *buy {fine:goods}
        在{shop}买~{some:food} = *buy {some:food} at the {shop}
        在书店买~{some:reading} = *buy {some:reading} at the bookstore
        吃~{couple:food} = *eat {couple:food}; 喝~{cup} = *drink {cup}
        在咖啡馆喝~{cup} = *drink {cup} at the coffee shop; 读~{a:reading} = *read {a:reading}
        看~{couple:show} = *watch {couple:show}; 写~{couple:note} = *write {couple:note}
        在图书馆借~{some:reading} = *borrow {some:reading} from the library
        收到~{some:mail} = *receive {some:mail}
        在{place}丢~{a:carried} = *lose {a:carried} at the {place}
        在{place}找到~{a:carried} = *find {a:carried} at the {place}
        看见~{creature:pet} = *see {creature:pet}
        在{place}拍~{some:photo} = *take {some:photo} at the {place}
        在动物园看见~{creature:wild} = *see {creature:wild} at the zoo
        在农场看见~{creature:farm} = *see {creature:farm} on the farm
        帮{other}洗~{a:clothes} = *wash {a:clothes} for {other.object}
    """,
    "photo": "照片/张 = photo",
    "outing": """
        去{place} = *go to the {place}; 去跑步 = *go running; 去爬山 = *go hiking
        去游泳 = *go swimming; 出门 = *go out; 去钓鱼 = *go fishing
    """,
    "described": """
        会说{language} = who can speak {language}; 住在{city} = who lives in {city}
        来自{country} = who comes from {country}; 会{skill} = who can {skill}
        喜欢{hobby} = who likes {hobby.ing}
    """,
    "transfer": "送给 = *give; 借给 = *lend; 卖给 = *sell",
    "asking": "买 = buy; 吃 = eat; 喝 = drink; 看见 = see; 做 = do; 读 = read",
}

CLAUSES = {
    "clock": """
        {early}点起床 = *get up at {early}; {early}点去上班 = *go to work at {early}
        {late}点睡觉 = *go to bed at {late}; {early}点吃早饭 = *have breakfast at {early}
    """,
    "fall": "下雨 = *rain; 下雪 = *snow",
    "ailing": "生病 = sick; 太忙 = too busy; 太累 = too tired; 很生气 = angry",
    "gathering": """
        上班 = to work; 上课 = to class; 参加聚会 = to the party; 开会 = to the meeting
        吃晚饭 = to dinner; 看比赛 = to the game
    """,
    "stay": """
        待在家里 = stay at home; 在家看书 = read at home; 去图书馆 = go to the library
        坐{commute}去上班 = take the {commute} to work; 在家看电视 = watch TV at home
    """,
    "both": """
        又大又安静 = big and quiet; 又干净又漂亮 = clean and beautiful; 又小又旧 = small and old
        又吵又小 = noisy and small; 又大又漂亮 = big and beautiful
    """,
    "banned": """
        拍照 = take photos; 吃东西 = eat; 唱歌 = sing; 跳舞 = dance; 打电话 = talk on the phone
        游泳 = swim; 睡觉 = sleep; 停车 = park; 踢足球 = play soccer
    """,
}

RULES = {
    "sentence": SENTENCES,
    **NOUN_PHRASES,
    **VERB_PHRASES,
    **CLAUSES,
    **PEOPLE,
    **THINGS,
    **PLACES,
    **TIMES,
    **ADJECTIVES,
}

# What sentences are about; what holds them together (pronouns, numbers, times) is met anywhere, and
# so are the words of those rules that one or two patterns use.
HELD_OUT = frozenset({"sentence", *VERB_PHRASES, *PEOPLE, *THINGS, *PLACES, *ADJECTIVES}) - {
    "asking",
    "background",
    "commute",
    "side",
    "transfer",
    "vehicle",
    "weather",
}
