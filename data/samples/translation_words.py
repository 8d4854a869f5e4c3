"""The words of the Chinese-English sample corpus; `synchronous_grammar.py` says how to read
them."""

from __future__ import annotations

PEOPLE = {
    "her_name": """
        安娜 = Anna (she); 玛丽 = Mary (she); 露西 = Lucy (she); 丽莎 = Lisa (she)
        爱丽丝 = Alice (she); 索菲 = Sophie (she); 艾玛 = Emma (she); 朱莉 = Julie (she)
    """,
    "his_name": """
        彼得 = Peter (he); 汤姆 = Tom (he); 大卫 = David (he); 杰克 = Jack (he)
        约翰 = John (he); 保罗 = Paul (he); 马克 = Mark (he); 查理 = Charlie (he)
    """,
    "surname": """
        王 = Wang; 李 = Li; 张 = Zhang; 刘 = Liu; 陈 = Chen; 杨 = Yang; 赵 = Zhao; 周 = Zhou
        吴 = Wu; 孙 = Sun; 林 = Lin; 高 = Gao
    """,
    "second_name": """
        芳 = Fang (she); 静 = Jing (she); 敏 = Min (she); 娜 = Na (she); 燕 = Yan (she)
        伟 = Wei (he); 强 = Qiang (he); 军 = Jun (he); 磊 = Lei (he); 涛 = Tao (he)
        明 = Ming (he)
    """,
    "woman": """
        妈妈 = mother (she); 姐姐 = older sister (she); 妹妹 = younger sister (she)
        奶奶 = grandmother (she); 阿姨 = aunt (she); 女儿 = daughter (she)
    """,
    "man": """
        爸爸 = father (he); 哥哥 = older brother (he); 弟弟 = younger brother (he)
        爷爷 = grandfather (he); 叔叔 = uncle (he); 儿子 = son (he)
    """,
    "job": """
        老师/位 = teacher; 医生/位 = doctor; 护士/位 = nurse; 司机/位 = driver; 翻译/位 = translator
        警察/位 = police officer; 律师/位 = lawyer; 工程师/位 = engineer; 记者/位 = reporter
        歌手/位 = singer; 画家/位 = painter; 演员/位 = actor; 作家/位 = writer; 农民/位 = farmer
        厨师/位 = chef; 飞行员/位 = pilot; 科学家/位 = scientist; 经理/位 = manager
    """,
}

THINGS = {
    "reading": "书/本 = book; 杂志/本 = magazine; 小说/本 = novel; 报纸/份 = newspaper",
    "priced": """
        {*clothes}; {*clothes}; 帽子/顶 = hat; 雨伞/把 = umbrella; 钱包/个 = wallet
        词典/本 = dictionary; 椅子/把 = chair; 灯/盏 = lamp; 玩具/个 = toy
    """,
    "mail": "信/封 = letter; 明信片/张 = postcard; 包裹/个 = package",
    "gadget": """
        手机/部 = phone; 相机/台 = camera; 杯子/个 = cup; 帽子/顶 = hat; 雨伞/把 = umbrella
        钱包/个 = wallet; 手表/块 = watch; 地图/张 = map; 词典/本 = dictionary; 球/个 = ball
        玩具/个 = toy; 盘子/个 = plate; 铅笔/支 = pencil; 毛巾/条 = towel
    """,
    "carried": """
        手机/部 = phone; 相机/台 = camera; 雨伞/把 = umbrella; 钱包/个 = wallet; 钥匙/把 = key
        词典/本 = dictionary; 地图/张 = map; 帽子/顶 = hat; 护照/本 = passport
    """,
    "owned": """
        手机/部 = phone; 相机/台 = camera; 雨伞/把 = umbrella; 词典/本 = dictionary
        电脑/台 = computer; 自行车/辆 = bicycle; 汽车/辆 = car; 吉他/把 = guitar; 电视/台 = TV
    """,
    "fragile": """
        手机/部 = phone; 相机/台 = camera; 杯子/个 = cup; 雨伞/把 = umbrella; 手表/块 = watch
        玩具/个 = toy; 椅子/把 = chair; 灯/盏 = lamp; 盘子/个 = plate; 自行车/辆 = bicycle
    """,
    "private": "钥匙/把 = key; 照片/张 = photo",
    "clothes": "{*worn}; {*worn}; 裙子/条 = skirt; 围巾/条 = scarf",
    "worn": """
        衬衫/件 = shirt; 毛衣/件 = sweater; 外套/件 = coat; 大衣/件 = overcoat; 夹克/件 = jacket
    """,
    "big": """
        电脑/台 = computer; 桌子/张 = table; 椅子/把 = chair; 床/张 = bed; 自行车/辆 = bicycle
        沙发/张 = sofa; 吉他/把 = guitar; 电视/台 = TV; 汽车/辆 = car; 灯/盏 = lamp
    """,
    "machine": """
        电脑/台 = computer; 自行车/辆 = bicycle; 电视/台 = TV; 汽车/辆 = car; 冰箱/台 = refrigerator
        洗衣机/台 = washing machine; 打印机/台 = printer
    """,
    "food": """
        苹果/个 = apple; 橙子/个 = orange; 鸡蛋/个 = egg; 包子/个 = steamed bun
        三明治/个 = sandwich; 香蕉/根 = banana; 梨/个 = pear; 西红柿/个 = tomato
        蛋糕/个 = cake; 土豆/个 = potato
    """,
    "hot_drink": "茶 = tea; 咖啡 = coffee; 绿茶 = green tea",
    "cold_drink": "牛奶 = milk; 水 = water; 果汁 = juice; 啤酒 = beer",
    "dish": """
        {meal}; 饺子 = dumplings; 面条 = noodles; 米饭 = rice; 蔬菜 = vegetables
        水果 = fruit; 面包 = bread; 沙拉 = salad
    """,
    "meal": """
        汤 = soup; 鱼 = fish; 牛肉 = beef; 鸡肉 = chicken; 豆腐 = tofu; 羊肉 = lamb; 咖喱 = curry
    """,
    "text": "{*note}; 书/本 = book; 小说/本 = novel; 歌/首 = song",
    "note": "信/封 = letter; 诗/首 = poem; 文章/篇 = article; 明信片/张 = postcard",
    "pet": "猫/只 = cat; 狗/条 = dog; 鸟/只 = bird; 兔子/只 = rabbit",
    "wild": """
        猴子/只 = monkey; 熊猫/只 = panda; 老虎/只 = tiger; 大象/头 = elephant
        狮子/头 = lion
    """,
    "farm": "马/匹 = horse; 牛/头 = cow; 羊/只 = sheep; 猪/头 = pig; 鸭子/只 = duck",
    "surface": "桌子 = table; 床 = bed; 椅子 = chair; 沙发 = sofa; 书桌 = desk",
    "box": """
        盒子 = box; 抽屉 = drawer; 书包 = schoolbag; 箱子 = suitcase; 柜子 = cabinet; 篮子 = basket
    """,
    "room": """
        厨房 = kitchen; 客厅 = living room; 浴室 = bathroom; 教室 = classroom; 卧室 = bedroom
        办公室 = office
    """,
    "color": "红 = red; 蓝 = blue; 绿 = green; 白 = white; 黑 = black; 黄 = yellow",
}

PLACES = {
    "city": """
        北京 = Beijing; 上海 = Shanghai; 广州 = Guangzhou; 杭州 = Hangzhou; 成都 = Chengdu
        南京 = Nanjing; 香港 = Hong Kong; 东京 = Tokyo; 巴黎 = Paris; 伦敦 = London
        柏林 = Berlin; 纽约 = New York; 罗马 = Rome; 莫斯科 = Moscow
    """,
    "country": """
        中国 = China; 日本 = Japan; 法国 = France; 德国 = Germany; 英国 = England
        美国 = America; 意大利 = Italy; 西班牙 = Spain
    """,
    "language": """
        中文 = Chinese; 英语 = English; 法语 = French; 德语 = German; 日语 = Japanese
        西班牙语 = Spanish; 俄语 = Russian; 意大利语 = Italian
    """,
    "place": """
        {*open}; {*open}; 公园/个 = park; 医院/家 = hospital; 饭馆/家 = restaurant
        火车站/个 = train station; 酒店/家 = hotel; 市场/个 = market; 学校/所 = school
        游泳池/个 = swimming pool
    """,
    "open": """
        图书馆/家 = library; 银行/家 = bank; 超市/家 = supermarket; 博物馆/家 = museum
        书店/家 = bookstore; 邮局/家 = post office; 药店/家 = drugstore; 动物园/个 = zoo
        咖啡馆/家 = coffee shop; 电影院/家 = movie theater
    """,
    "workplace": """
        医院/家 = hospital; 银行/家 = bank; 饭馆/家 = restaurant; 机场/个 = airport
        博物馆/家 = museum; 大学/所 = university; 工厂/家 = factory; 书店/家 = bookstore
        超市/家 = supermarket
    """,
    "side": "旁边 = next to; 后面 = behind; 前面 = in front of; 对面 = across from",
    "shop": "超市 = supermarket; 市场 = market; 商场 = shopping mall",
    "vehicle": "火车 = train; 飞机 = plane; 大巴 = bus",
    "commute": "地铁 = subway; 公共汽车 = bus; 火车 = train",
}

TIMES = {
    "weekday": """
        一 = Monday; 二 = Tuesday; 三 = Wednesday; 四 = Thursday; 五 = Friday; 六 = Saturday
    """,
    "day": """
        昨天 = yesterday; 前天 = the day before yesterday; 昨天晚上 = last night
        今天早上 = this morning; 今天下午 = this afternoon; 上周{weekday} = last {weekday}
        昨天下午 = yesterday afternoon; 昨天 = yesterday
    """,
    "past": """
        {day}; {day}; 上周 = last week; 上个月 = last month; 去年 = last year
        {few}天前 = {few} days ago; {few}年前 = {few} years ago; {few}个月前 = {few} months ago
    """,
    "future": """
        明天 = tomorrow; 后天 = the day after tomorrow; 今晚 = tonight; 明天 = tomorrow
        明天上午 = tomorrow morning; 下周{weekday} = next {weekday}; 这个周末 = this weekend
        明天下午 = tomorrow afternoon
    """,
    "soon": """
        明天 = tomorrow; 后天 = the day after tomorrow; 这个周末 = this weekend
        下周{weekday} = next {weekday}
    """,
    "later": "{future}; 下周 = next week; 下个月 = next month; 明年 = next year",
    "habit": """
        每天 = every day; 每天早上 = every morning; 每天晚上 = every evening
        每个周末 = every weekend; 每个星期{weekday} = every {weekday}
    """,
    "often": "经常 = often; 总是 = always; 有时候 = sometimes; 很少 = rarely; 从来不 = never",
    "few": "两 = two; 三 = three; 四 = four; 五 = five; 六 = six; 几 = a few",
    "early": "五 = five; 六 = six; 七 = seven; 八 = eight",
    "late": "九 = nine; 十 = ten; 十一 = eleven",
    "age": """
        七 = seven; 八 = eight; 九 = nine; 十二 = twelve; 二十 = twenty; 三十 = thirty
        四十 = forty; 五十 = fifty
    """,
    "price": """
        三十 = thirty; 五十 = fifty; 八十 = eighty; 一百 = one hundred; 二百 = two hundred
        五百 = five hundred
    """,
}

ADJECTIVES = {
    "look": """
        新 = new; 旧 = old; 漂亮的 = beautiful; 便宜的 = cheap; 红色的 = red; 蓝色的 = blue
        绿色的 = green; 白色的 = white; 黑色的 = black; 黄色的 = yellow
    """,
    "coat": "可爱的 = cute; 漂亮的 = beautiful; 安静的 = quiet; 聪明的 = smart; 害羞的 = shy",
    "quality": """
        贵 = expensive; 便宜 = cheap; 漂亮 = beautiful; 小 = small; 大 = big; 新 = new; 旧 = old
    """,
    "verdict": "贵 = expensive; 便宜 = cheap; 漂亮 = beautiful; 小 = small; 大 = big",
    "nature": "可爱 = cute; 聪明 = smart; 漂亮 = beautiful; 有趣 = interesting",
    "flaw": "贵 = expensive; 小 = small; 大 = big; 旧 = old",
    "size": "大 = big; 小 = small; 可爱 = cute; 胖 = fat; 聪明 = smart",
    "taste": "好吃 = delicious; 新鲜 = fresh; 贵 = expensive; 便宜 = cheap; 大 = big",
    "flavor": "好吃 = delicious; 辣 = spicy; 咸 = salty; 健康 = healthy",
    "trait": """
        高 = tall; 聪明 = smart; 勤奋 = hard-working; 友好 = friendly; 细心 = careful; 有名 = famous
        善良 = kind; 有耐心 = patient; 害羞 = shy; 幽默 = funny; 诚实 = honest; 有礼貌 = polite
    """,
    "mood": """
        忙 = busy; 累 = tired; 高兴 = happy; 生气 = angry; 饿 = hungry; 渴 = thirsty
        紧张 = nervous; 难过 = sad; 无聊 = bored; 困 = sleepy; 激动 = excited
    """,
    "site": """
        大 = big; 安静 = quiet; 干净 = clean; 漂亮 = beautiful; 有名 = famous; 旧 = old
        小 = small; 吵 = noisy
    """,
    "weary": "累 = tired; 饿 = hungry; 困 = sleepy; 渴 = thirsty; 难过 = sad",
    "weather": "冷 = cold; 热 = hot; 暖和 = warm; 凉快 = cool",
}
