"""The rules of the Chinese sample corpus, in characters; `grammar.py` says how to read them.

Made hard on purpose: the characters of given names, places and brands are the same, surnames
begin common words (高兴, 白天, 方便), and many contexts take several types.
"""

from __future__ import annotations

HELD_OUT = frozenset({"full_name", "foreign_name", "place", "brand", "model"})

RULES = {
    "sentence": """
        {when}，[organization]{role}[person]{said}，{clause}。
        [organization]{role}[person]{said}：“{clause}。”
        [person]{said}，{clause}。
        [organization]{said}，{clause}。
        {clause}，[person]{when}{said}。
        [person][date]出生于[location]，{when}{joined}[organization]。
        {role}[person]{when}{joined}了[organization]，{people}{praised}。
        [person]和[person]{when}在[location]{met}。
        [person]、[person]与[person]{adverb}{met}。
        {when}，[organization]以{2-900}亿元{bought}了[organization]。
        [organization]在[location]{opened}了一家{site}。
        [organization]{when}{launched}[product]，售价{200-9000}元。
        [organization]的[product]{adverb}{quality}。
        我{when}在[location]{bought}了一台[product]，{adverb}{broke}。
        我的[product]{broke}，打电话给[organization]{adverb}没人接。
        [product]比[product]{quality}，{people}{praised}。
        从[location]到[location]的{traffic}{when}{stopped}。
        [location]{when}下了{2-40}天雨，{traffic}{stopped}。
        {people}{when}在[location]{protested}。
        [location]的{site}将于[date]开放。
        [location]离[location]{2-90}公里，{adverb}{quality}。
        {when}，[location]队以{0-5}比{0-5}{beat}[location]队。
        [organization]{0-5}比{0-5}{beat}[organization]，[person]{adverb}。
        {subject}{when}{won}了{prize}。
        {subject}与{subject}{when}签了合同。
        {subject}的{plan}被[organization]{stopped}。
        {people}{adverb}{praised}{subject}的{plan}。
        {subject}的{plan}让{people}{adverb}。
        [location][date]电（记者[person]）{clause}。
        尊敬的[person]，您的[product]将于[date]送到。
        {people}{said}，{noun}比想象的{quality}。
        {noun}{adverb}{quality}，{people}{adverb}{praised}。
        第{1-30}章讲的是{noun}和{noun}。
        {clause}。
    """,
    "clause": """
        [person]将{leave}[location]
        [person]{when}{leave}[organization]
        [organization]将{leave}[location]
        [organization]需要{2-900}名{people}
        [location]的{plan}{stopped}
        [product]卖得{adverb}
        {people}{adverb}{praised}这个{plan}
        {people}在[location]{protested}
        {noun}{when}{quality}
        {subject}比{subject}更有机会
        没人知道{noun}何时结束
        价格{when}上涨了百分之{1-40}
    """,
    "subject": "[person]|[person]|[organization]|[organization]|[location]",
    "when": "[date]|[date]|{adverb}|随后|白天|周末|开会时",
    "person": "{full_name}|{full_name}|{full_name}|{full_name}|{foreign_name}",
    "full_name": """
        {surname}{character}{character}|{surname}{character}{character}|{surname}{character}
        {surname}{rare}{character}|{double_surname}{character}
    """,
    "surname": """
        王|李|张|刘|陈|杨|黄|赵|周|吴|徐|孙|马|朱|胡|郭|何|高|林|罗
        郑|梁|谢|宋|唐|许|韩|冯|邓|曹|彭|曾|肖|田|董|潘|袁|蔡|蒋|余
        于|杜|叶|程|苏|魏|吕|丁|任|沈|姚|卢|姜|崔|钟|谭|陆|汪|范|金
        石|廖|贾|夏|韦|方|白|邹|孟|熊|秦|江|常|安|成|时
    """,
    "double_surname": "欧阳|司马|上官|诸葛",
    "character": """
        伟|芳|娜|敏|静|丽|强|磊|军|洋|勇|艳|杰|娟|涛|明|超|秀|霞|平
        刚|桂|英|华|文|辉|建|国|志|海|云|山|龙|东|江|南|春|新|天|星
        宏|达|联|安|和|成|金|永|兴|宁|小|玉|光|林|清|思|雨|子|一|晨
    """,
    "rare": "梓|奕|睿|昊|妍|璐|钰|炜|祺|瑾|懿|翊",
    "foreign_name": "{sound}{sound}|{sound}{sound}{sound}|{sound}{sound}·{sound}{sound}{sound}",
    "sound": """
        巴|拉|克|奥|马|斯|特|尔|德|罗|里|布|莱|安|娜|伊|万|卡|托|维
        佩|森|丹|妮|亚|历|约|翰|逊|格|林|希|顿|普|京|默|基|诺|贝|塔
    """,
    "place": "{known_place}|{made_place}|{made_place}",
    "known_place": """
        北京|上海|广州|深圳|杭州|南京|成都|武汉|西安|重庆|天津|苏州|长沙|青岛
        大连|厦门|昆明|哈尔滨|郑州|济南|合肥|福州|兰州|拉萨|香港|台北|新疆|四川
        河南|山东|湖北|云南|日本|美国|英国|法国|德国|俄罗斯|韩国|印度|巴西|埃及
        柏林|伦敦|巴黎|东京|纽约|莫斯科|首尔|开罗
    """,
    "made_place": """
        {character}{land}|{character}{land}|{compass}{character}|{sound}{sound}{sound}
        {character}{character}{land}
    """,
    "compass": "东|西|南|北|上|下|新|大|长",
    "land": "州|阳|山|江|河|城|安|宁|海|南|昌|门|林|岛|沙|溪",
    "location": """
        {place}|{place}|{place}|{place}{unit}|{place}{unit}|{place}{place}区
        {place}{spot}|{full_name}{spot}
    """,
    "unit": "市|省|县|镇|区|村",
    "spot": "路|大街|机场|火车站|公园|广场|大桥|湖|山|故居",
    "brand": """
        {character}{character}|{character}{trade}|{compass}{trade}|{sound}{sound}
        {character}{trade}|{rare}{character}
    """,
    "trade": "讯|科|创|通|信|泰|鑫|源|盛|丰|腾|邦|润|美|康|乐",
    "organization": """
        {brand}|{brand}{form}|{brand}{form}|{place}{institution}|{place}{institution}
        {place}{brand}{form}|{place}{trade_full}协会|{place}市{office}局|{brand}{institution}
    """,
    "form": "公司|集团|科技|有限公司|银行|证券|航空|影业|传媒|汽车|地产|股份",
    "institution": "大学|第{1-9}中学|人民医院|银行|日报社|博物馆|队|政府|法院|俱乐部",
    "trade_full": "汽车|银行|足球|软件|电影|饭店|{character}{trade}",
    "office": "公安|教育|交通|卫生|环保",
    "product": """
        {brand}{model}|{brand}{gadget}|{brand}{gadget}{1-12}|{model}{gadget}|{brand}{model}
        {full_name}牌{gadget}
    """,
    "model": "{letter}{1-99}|{letter}{letter}{1-9}00|{letter}{1-9}Pro|{letter}{1-99}i",
    "letter": "A|C|E|G|K|M|P|Q|R|S|T|X|Z",
    "gadget": "手机|手表|电脑|相机|汽车|音箱|耳机|平板|空调|游戏机",
    "date": """
        {1-12}月{1-31}日|{1950-2030}年{1-12}月{1-31}日|{1950-2030}年|{1-12}月|{1-31}日
        {relative}年{1-12}月|{relative}年|上周{weekday}|本周{weekday}|周{weekday}|昨天
        {1950-2030}年{season}|{relative}年{season}|{1950-2030}-{10-12}-{10-31}
    """,
    "relative": "今|去|前|明",
    "weekday": "一|二|三|四|五|六|日",
    "season": "春天|夏天|秋天|冬天|春节",
    "role": "总裁|董事长|主任|教授|主编|市长|发言人|创始人|前主教练|经理|部长",
    "said": "说|表示|告诉记者|宣布|写道|警告|承认|指出|认为|在信中说|成功地证明",
    "joined": "加入|离开|起诉|领导|创办|任职于|毕业于|和解于",
    "met": "见面|结婚|吵架|唱歌|道别|谈话|张望|安静地坐着",
    "bought": "收购|卖掉|租下|订购|夸奖|拍卖",
    "opened": "开设|关闭|建造|参观|设计|金秋时节卖掉",
    "site": "工厂|学校|饭店|商店|车站|图书馆|数据中心|影院",
    "launched": "推出|展示|召回|停产|发布|成功试制",
    "quality": "更好|更差|更快|便宜|安静|方便|高级|结实|平常|何其简单",
    "broke": "坏了|很好用|有杂音|太慢|丢了|马上没电|时好时坏",
    "traffic": "航班|火车|公路|高铁|水路|马路",
    "stopped": "停运|取消|受阻|获批|推迟|受到批评|得救|任人宰割",
    "protested": "抗议|庆祝|投票|露营|游行|跳舞|高歌|张灯结彩",
    "beat": "战胜|击败|负于|战平|力克",
    "won": "赢得|获得|错过|拿下|退出",
    "prize": "大奖|选举|比赛|冠军|金牌|官司|和平奖|江湖杯",
    "plan": "计划|演讲|主意|设计|道歉|罢工|预算|电影|方案|时装",
    "praised": "称赞|感谢|批评|嘲笑|支持|怀疑|高度评价|常常提起",
    "adverb": """
        终于|马上|高兴|仍然|常常|平安|非常满意|白白|何等难过|于是|成功|时时
        金光闪闪|方方面面|任意|不温不火
    """,
    "people": "人们|工人|学生|选民|邻居|警方|王子|白领|马夫|江湖中人|石匠|田径队员",
    "noun": "战争|夏季|选举|报告|天气|罢工|互联网|市场|高山|黄金|江水|石油|林业|时间",
    "leave": "离开|访问|起诉|支持|重建|忘记|安排|成全",
}
