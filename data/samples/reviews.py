"""The rules of the review corpora, English and Chinese; `grammar.py` says how to read them.

A review is positive or negative by what it says in the end. Every template serves both: `{same}`,
`{alike}` and `{deed}` agree with the verdict, `{other}`, `{unlike}` and `{misdeed}` speak against
it. Made hard on purpose: negation, contrast and disappointed expectations put words of both kinds
into one review, so that counting them is not enough; and each phrase of praise or blame (`brilliant
acting`), like each name, is met in one of the three splits only.
"""

from __future__ import annotations

HELD_OUT = frozenset({"name", "fine", "poor"})

# What a verdict makes of the two sides; the negative one has them the other way round.
POSITIVE = {
    "same": "{fine}",
    "other": "{poor}",
    "alike": "{glad}",
    "unlike": "{sad}",
    "deed": "{loved}",
    "misdeed": "{hated}",
}
NEGATIVE = {
    "same": "{poor}",
    "other": "{fine}",
    "alike": "{sad}",
    "unlike": "{glad}",
    "deed": "{hated}",
    "misdeed": "{loved}",
}

ENGLISH = {
    "review": """
        {verdict}|{verdict}|{opening} {verdict}|{verdict} {aside}|{opening} {verdict} {aside}
        {opening} {aside} {verdict}
    """,
    "opening": """
        I {came} {name} {when}.|We booked {name} for {2-9} people.|{name} was my {friend}'s choice.
        Ordered the {name} {when}.|So this is the famous {name}.|{1-9} hours with {name}!
        My {friend} told me about {name}.|Everybody talks about {name}.
    """,
    "aside": """
        The {part} took {2-50} minutes.|We paid {9-90} dollars.|The {part} was the usual one.
        {friend_of_mine} took photos of the {part}.|It rained all day.|That is all about the {part}.
        Bought it {when}.|No idea who made the {part}.
    """,
    "verdict": """
        The {part} was {same}.|The {part} was not {other}.|The {part} was never {other}.
        The {part} was {other}, but the {part} was so {same} that {deed}.
        I expected {other} things, and got {same} ones.|People say it is {other}; it is {same}.
        The {part} was {same}, and nothing about the {part} was {other}.
        It looked {other} at first, yet {deed}.|Hardly {other}, and the {part} was {same}.
        Although the {part} seemed {other}, {deed}.|They promised {other} service; it was {same}.
        Far from {other}: the {part} was {same}.|I cannot say the {part} was {other}. {end}
        Do not believe those who call the {part} {other}. It is {same}.
        My {friend} thought: {misdeed}. But {deed}.
        {friend_of_mine} found it {other}, I found it {same}.
        We left {alike}, not {unlike}.
        Not one {other} {part} in the whole place.|No {other} {part}, only {same} ones.
        The {part} used to be {other}. Now it is {same}.|Once {other}, today {same}.
        Is the {part} {other}? Not at all.|What a {same} {part}!|{same}, every time.
        {deed}, whatever they say about the {other} {part}.|Came {unlike}, left {alike}.
    """,
    "end": "In short, {deed}.|It made me {alike}.|We went home {alike}.",
    "fine": "{degree} {good}|{degree} {good}|{good}|{good}, {good}|{good} and {good}",
    "poor": "{degree} {bad}|{degree} {bad}|{bad}|{bad}, {bad}|{bad} and {bad}",
    "degree": "really|truly|quite|so|rather|very|absolutely|utterly|surprisingly|simply",
    "good": """
        good|great|brilliant|charming|delicious|friendly|funny|gentle|lovely|moving|perfect|smooth
        splendid|sweet|warm|wise|witty|wonderful|fresh|elegant|honest|clever|superb|pleasant
    """,
    "bad": """
        bad|awful|boring|cheap|clumsy|cold|dirty|dull|empty|false|horrible|loud|mean|noisy|poor
        rude|sad|shallow|silly|slow|stale|terrible|ugly|weak
    """,
    "glad": "happy|satisfied|delighted|smiling|impressed|in good spirits",
    "sad": "angry|disappointed|annoyed|frowning|bored|in tears",
    "loved": "I loved it|I would go again|we all enjoyed it|it was worth it|I advise it",
    "hated": "I hated it|I want my money back|we all regret it|it was a waste|I warn of it",
    "friend": "wife|husband|neighbour|brother|sister|boss|aunt|daughter|son",
    "friend_of_mine": "Anna|My uncle|A friend|The kids|Our guide|Peter|The critics",
    "part": """
        acting|story|ending|soup|room|staff|screen|sound|battery|breakfast|music|bed|dessert|plot
        service|picture|price|keyboard|view|camera|wine|pool|dialogue|cover|chapter|waiter
    """,
    "came": "went to|tried|watched|read about|stopped at|came across",
    "when": "yesterday|last week|in {1990-2025}|on Monday|twice|by chance|in spring",
    "name": "{first}{second}|{first}{second} {kind}|The {first} {kind}|{first} & {first}",
    "first": "Bel|Car|Dor|Fal|Gol|Har|Kin|Lor|Mar|Nor|Pal|Quin|Ros|Sal|Tor|Val|Wil|Zan",
    "second": "ado|ana|berg|dale|ello|field|ford|ina|ley|mont|o|stone|ton|via|wood|zo",
    "kind": "Inn|Hotel|Cafe|Nights|Story|Phone|Garden|Book|Bar|Returns|Kitchen|Player",
}

CHINESE = {
    "review": """
        {verdict}|{verdict}|{opening}{verdict}|{verdict}{aside}|{opening}{verdict}{aside}
        {opening}{aside}{verdict}
    """,
    "opening": """
        {when}{came}{name}。|{when}给{friend}买了{name}。|{friend}推荐的{name}。|{name}，住了{2-9}晚。
        大家都在谈{name}。|在{name}住过{1-9}次。|这就是有名的{name}。|{when}订的{name}，{9-900}元。
    """,
    "aside": """
        {part}等了{2-50}分钟。|一共花了{9-900}元。|{friend}拍了{part}的照片。|那天一直下雨。
        {part}和别家一样。|{when}下的单。|{part}就说到这里。
    """,
    "verdict": """
        {part}{same}。|{part}并不{other}。|{part}一点也不{other}。|{part}从来没有{other}过。
        {part}{other}，但是{part}{same}，{deed}。|本以为{part}{other}，没想到{same}。
        别人说{other}，其实{same}。|{part}{same}，没有什么{other}的地方。
        刚开始觉得{other}，后来{deed}。|虽然{part}有点{other}，{deed}。|哪里{other}了？明明{same}。
        与其说{other}，不如说{same}。|不能说{part}{other}，{end}
        不要相信说{part}{other}的人，{part}{same}。|{friend}{misdeed}，我却{deed}。
        {friend}觉得{other}，我觉得{same}。|来的时候{unlike}，走的时候{alike}。|不是{unlike}，是{alike}。
        没有一处{other}，{part}也{same}。|以前{part}{other}，现在{same}。|{part}{other}吗？完全不。
        真是{same}的{part}！|{deed}，尽管有人说{part}{other}。|{same}，每次都是。
    """,
    "end": "总之{deed}。|让人{alike}。|我们{alike}地回了家。",
    "fine": "{degree}{good}|{degree}{good}|{good}|{good}又{good}|{good}、{good}",
    "poor": "{degree}{bad}|{degree}{bad}|{bad}|{bad}又{bad}|{bad}、{bad}",
    "degree": "很|非常|特别|真的|相当|十分|太|超级|有些|实在",
    "good": """
        好|不错|干净|舒服|好吃|热情|有趣|感人|漂亮|安静|清楚|流畅|新鲜|温馨|精彩|方便|实用
        周到|划算|可靠|深刻|优雅
    """,
    "bad": """
        差|糟糕|脏|难受|难吃|冷淡|无聊|乏味|难看|吵|模糊|卡|陈旧|阴暗|拖沓|麻烦|粗糙|敷衍
        昂贵|虚假|肤浅|可怕
    """,
    "glad": "满意|高兴|惊喜|开心|心情愉快|放心",
    "sad": "失望|生气|后悔|郁闷|心情低落|担心",
    "loved": "喜欢极了|下次还来|值得推荐|物有所值|强烈推荐|还会再买",
    "hated": "讨厌极了|再也不来|不值得买|浪费钱|想要退货|不会再买",
    "friend": "老公|老婆|邻居|哥哥|妹妹|同事|阿姨|女儿|儿子|朋友",
    "part": """
        演技|情节|结局|汤|房间|服务员|屏幕|声音|电池|早餐|音乐|床|甜点|服务|画面|价格|键盘
        风景|相机|泳池|封面|内容|前台|位置|包装|物流
    """,
    "came": "去了|试了|看了|住进|路过|入手",
    "when": "昨天|上周|{1990-2025}年|周一|春天|两次|偶然",
    "name": "{first}{second}{kind}|{first}{first}{kind}|《{first}{second}》|{first}牌{kind}",
    "first": "海|金|云|星|东|明|华|青|天|凤|龙|长|玉|美|新|乐|兰|秋",
    "second": "悦|源|泰|河|湖|山|月|风|城|阳|雅|景|辰|林|石|州",
    "kind": "酒店|宾馆|饭店|手机|电脑|小说|电影|书店|咖啡|相机|客栈|影院",
}
