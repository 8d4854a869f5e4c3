"""The tables of the sample texts; `data/generation/sample.py` says what they are for.

A rule holds alternatives, one a line or parted by bars. `{name}` stands for an expansion of a rule,
drawn anew at each place; `<name>` is the same at every place of a text.
"""

from __future__ import annotations

KINDS = ("weather", "letter", "recipe", "announcement")

# Expansions of these belong to one split each.
HELD_OUT = frozenset({"she", "he", "thing", "things", "dish"})

ENGLISH = {
    "weather": """
        {day} was {warm} in <city>, so <she> took her <thing> to the {outside}. she stayed in <city> until the evening, with the <thing> beside her.
        {day} was {warm} in <city>, so <he> took his <thing> to the {outside}. he stayed in <city> until the evening, with the <thing> beside him.
        {day} will be {cold} in <city>. if <she> goes out, she needs her coat and a <thing>, and so does everyone in <city> who walks to the {outside}.
        {day} will be {cold} in <city>. if <he> goes out, he needs his coat and a <thing>, and so does everyone in <city> who walks to the {outside}.
        the wind is {cold} in <city> {time}. the <things> in the {outside} are wet, and nobody wants the <things> now.
    """,  # noqa: E501
    "letter": """
        dear <she>, thank you for the <thing>. my {relative} in <city> says that the <thing> is lovely. yours, {he}
        dear <he>, thank you for the <thing>. my {relative} in <city> says that the <thing> is lovely. yours, {she}
        dear {he}, my {relative} met <she> {time}. she has <number> <things> at home, and she will send us one of her <number> <things>. yours, {she}
        dear {she}, my {relative} met <he> {time}. he has <number> <things> at home, and he will send us one of his <number> <things>. yours, {he}
        dear {she}, where are my <things>? they were in the {outside} {time}. please send the <things> to <city>, or bring them yourself. yours, {he}
    """,  # noqa: E501
    "recipe": """
        for <dish> you need <number> <food> and a little {spice}. wash the <food>, cut them, and cook all <number> of them for {2-9}0 minutes. serve the <dish> {warm}.
        this is how <she> makes her <dish>: she mixes <number> <food> with {spice}, and she waits for {2-9}0 minutes. her <dish> is known in all of <city>.
        this is how <he> makes his <dish>: he mixes <number> <food> with {spice}, and he waits for {2-9}0 minutes. his <dish> is known in all of <city>.
        take <number> <food>. when the <food> are soft, add {spice}, and put the <dish> on a {plate}. nobody in <city> leaves a <dish> on the {plate}.
    """,  # noqa: E501
    "announcement": """
        lost in <city>: a <thing>. whoever finds the <thing> may call <she>. she lives near the {outside} and will be glad to have her <thing> back.
        lost in <city>: a <thing>. whoever finds the <thing> may call <he>. he lives near the {outside} and will be glad to have his <thing> back.
        for sale in <city>: <number> <things>. the <number> <things> belong to <she>; call her {time}.
        for sale in <city>: <number> <things>. the <number> <things> belong to <he>; call him {time}.
        the {outside} of <city> opens {time}. bring <number> <things>, because the <things> there are old.
    """,  # noqa: E501
    "day": "Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday",
    "time": "in the morning | at noon | in the evening | at night | on {day}",
    "warm": "warm | hot | sunny | bright | mild",
    "cold": "cold | icy | rainy | stormy | foggy",
    "city": "Oxford | Boston | Dublin | Sydney | Toronto | Bristol | Chicago | Leeds | Austin",
    "outside": "garden | park | market | station | bridge | harbour | library | museum",
    "relative": "mother | father | sister | brother | uncle | aunt | cousin | neighbour",
    "number": "two | three | four | five | six | seven | eight | nine | ten",
    "food": "apples | carrots | onions | eggs | lemons | tomatoes | mushrooms | potatoes",
    "spice": "salt | pepper | sugar | ginger | garlic | butter | honey | oil",
    "plate": "plate | table | tray | cloth",
    "she": "{her} {surname}",
    "he": "{him} {surname}",
    "her": "Anna | Clara | Emma | Grace | Helen | Julia | Laura | Nora | Rose | Sarah",
    "him": "Adam | Bruno | David | Frank | Henry | James | Leo | Oscar | Peter | Simon",
    "surname": "Baker | Carter | Dixon | Fisher | Hill | Jones | Miller | Parker | Stone | Wood",
    "thing": "{adjective} {noun}",
    "things": "{adjective} {noun}s",
    "adjective": "blue | green | red | yellow | old | new | small | large | heavy | round | empty",
    "noun": "umbrella | bicycle | basket | blanket | ladder | lamp | chair | guitar | kettle | hat",
    "dish": "{flavour} {meal}",
    "flavour": "sweet | sour | spicy | golden | creamy | simple | summer | winter",
    "meal": "soup | cake | salad | stew | pie | bread | sauce | pudding",
}  # fmt: skip

CHINESE = {
    "weather": """
        {day}<city>天气{warm}，<she>带着她的<thing>去了{outside}。她在<city>一直待到晚上，<thing>就放在她身边。
        {day}<city>天气{warm}，<he>带着他的<thing>去了{outside}。他在<city>一直待到晚上，<thing>就放在他身边。
        {day}<city>会很{cold}。如果<she>出门，她要穿大衣，带上<thing>，<city>所有去{outside}的人也一样。
        {day}<city>会很{cold}。如果<he>出门，他要穿大衣，带上<thing>，<city>所有去{outside}的人也一样。
        {time}<city>的风很{cold}。{outside}里的<thing>都湿了，现在没有人想要<thing>。
    """,
    "letter": """
        亲爱的<she>：谢谢你的<thing>。我在<city>的{relative}说，这样的<thing>很漂亮。你的朋友{he}
        亲爱的<he>：谢谢你的<thing>。我在<city>的{relative}说，这样的<thing>很漂亮。你的朋友{she}
        亲爱的{he}：{time}我{relative}见到了<she>。她家里有<number>个<thing>，她会从这<number>个<thing>里送我们一个。你的朋友{she}
        亲爱的{she}：{time}我{relative}见到了<he>。他家里有<number>个<thing>，他会从这<number>个<thing>里送我们一个。你的朋友{he}
        亲爱的{she}：我的<thing>在哪里？{time}还在{outside}。请把<thing>寄到<city>，或者你自己带来。你的朋友{he}
    """,
    "recipe": """
        做<dish>需要<number>个<food>和一点{spice}。先洗<food>，再切好，把这<number>个<food>煮{2-9}0分钟，<dish>就做好了。
        <she>是这样做<dish>的：她把<number>个<food>和{spice}放在一起，等{2-9}0分钟。她的<dish>在<city>人人都知道。
        <he>是这样做<dish>的：他把<number>个<food>和{spice}放在一起，等{2-9}0分钟。他的<dish>在<city>人人都知道。
        准备<number>个<food>。<food>软了以后加{spice}，再把<dish>放在{plate}上。在<city>没有人会剩下<dish>。
    """,
    "announcement": """
        <city>有人丢了<thing>。找到<thing>的人请给<she>打电话。她住在{outside}附近，希望找回她的<thing>。
        <city>有人丢了<thing>。找到<thing>的人请给<he>打电话。他住在{outside}附近，希望找回他的<thing>。
        在<city>出售<number>个<thing>。这<number>个<thing>是<she>的，{time}请给她打电话。
        在<city>出售<number>个<thing>。这<number>个<thing>是<he>的，{time}请给他打电话。
        <city>的{outside}{time}开门。请带<number>个<thing>来，因为那里的<thing>太旧了。
    """,
    "day": "星期一 | 星期二 | 星期三 | 星期四 | 星期五 | 星期六 | 星期天",
    "time": "早上 | 中午 | 下午 | 晚上 | {day}",
    "warm": "很暖和 | 很热 | 晴朗 | 很好 | 不冷",
    "cold": "冷 | 大 | 凉 | 潮湿",
    "city": "北京 | 上海 | 广州 | 南京 | 成都 | 西安 | 杭州 | 武汉 | 青岛",
    "outside": "花园 | 公园 | 市场 | 车站 | 大桥 | 码头 | 图书馆 | 博物馆",
    "relative": "妈妈 | 爸爸 | 姐姐 | 哥哥 | 叔叔 | 阿姨 | 表弟 | 邻居",
    "number": "两 | 三 | 四 | 五 | 六 | 七 | 八 | 九 | 十",
    "food": "苹果 | 萝卜 | 洋葱 | 鸡蛋 | 柠檬 | 西红柿 | 蘑菇 | 土豆",
    "spice": "盐 | 胡椒 | 糖 | 姜 | 大蒜 | 黄油 | 蜂蜜 | 油",
    "plate": "盘子 | 桌子 | 托盘",
    "she": "{surname}{her}",
    "he": "{surname}{him}",
    "her": "静 | 丽 | 敏 | 芳 | 雪梅 | 秀英 | 晓燕 | 玉兰 | 婷婷 | 佳慧",
    "him": "伟 | 强 | 勇 | 军 | 建国 | 志明 | 海涛 | 文博 | 俊杰 | 大伟",
    "surname": "王 | 李 | 张 | 刘 | 陈 | 杨 | 赵 | 黄 | 周 | 吴",
    "thing": "{adjective}{noun}",
    "things": "{adjective}{noun}",
    "adjective": "蓝色的 | 绿色的 | 红色的 | 黄色的 | 旧的 | 新的 | 小 | 大 | 圆的 | 空的",
    "noun": "雨伞 | 自行车 | 篮子 | 毯子 | 梯子 | 台灯 | 椅子 | 吉他 | 水壶 | 书包 | 帽子",
    "dish": "{flavour}{meal}",
    "flavour": "甜 | 酸 | 辣 | 香 | 奶油 | 家常 | 夏日 | 冬日",
    "meal": "汤 | 蛋糕 | 沙拉 | 炖菜 | 馅饼 | 面包 | 面 | 布丁",
}  # fmt: skip
