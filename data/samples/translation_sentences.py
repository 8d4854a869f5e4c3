"""The patterns of the sentences of the Chinese-English sample corpus."""

from __future__ import annotations

PEOPLE = """
    {one}是一{job.measure}{job}。 = {one} <be.now@one> a {job}.
    {one}不是{job}。 = {one} <be.now@one> not a {job}.
    {asked_one}是{job}吗？ = <be.now@asked_one> {asked_one} a {job}?
    {one}以前是一{job.measure}{job}。 = {one} used to be a {job}.
    {one}想当{job}。 = {one} <want.now@one> to become a {job}.
    {who}很{mood}。 = {who} <be.now@who> {mood}.
    {who}非常{mood}。 = {who} <be.now@who> very {mood}.
    {who}今天不{mood}。 = {who} <be.now@who> not {mood} today.
    {who}{day}很{mood}。 = {who} <be.past@who> {mood} {day}.
    {asked}{mood}吗？ = <be.now@asked> {asked} {mood}?
    {asked}为什么这么{mood}？ = Why <be.now@asked> {asked} so {mood}?
    {person}是一个非常{trait}的人。 = {person} is a very {trait} person.
    {person}比{other}{trait}。 = {person} is {trait.more} than {other.object}.
    {person}没有{other}那么{trait}。 = {person} is not as {trait} as {other.object}.
    {person}跟{other}一样{trait}。 = {person} is as {trait} as {other.object}.
    {name}和{name2}谁更{trait}？ = Who is {trait.more}, {name} or {name2}?
    {name}是我们班最{trait}的学生。 = {name} is the {trait.most} student in our class.
    {name}今年{age}岁。 = {name} is {age} years old.
    {name}和{name2}是好朋友。 = {name} and {name2} are good friends.
    {who}认识{stranger}。 = {who} <know.now@who> {stranger}.
    {asked}认识{stranger}吗？ = <do.now@asked> {asked} know {stranger}?
    {her_name}是我{woman}。 = {her_name} is my {woman}.
    {his_name}是她{man}。 = {his_name} is her {man}.
    {person}来自{country}。 = {person} <come.now@person> from {country}.
    {person}出生在{city}。 = {person} was born in {city}.
"""

THINGS = """
    这{ware.measure}{ware}很{quality}。 = This {ware} is {quality}.
    那{ware.measure}{ware}不{quality}。 = That {ware} is not {quality}.
    这{ware.measure}{ware}太{flaw}了。 = This {ware} is too {flaw}.
    这{ware.measure}{ware}比那{ware.measure}{quality}。
        = This {ware} is {quality.more} than that one.
    这是这家店里最{quality}的{ware}。 = This is the {quality.most} {ware} in this store.
    这{food.measure}{food}{taste}吗？ = Is this {food} {taste}?
    {who}{day}吃了很多{dish}。 = {who} ate a lot of {dish} {day}.
    我家没有{dish}了。 = We have no {dish} at home.
    我们今晚吃{dish}吧。 = Let's eat {dish} tonight.
    {who}想吃{dish}。 = {who} <want.now@who> to eat {dish}.
    今天的{meal}很{flavor}。 = Today's {meal} is {flavor}.
    这些{food}很{taste}。 = These {food.plural} are {taste}.
    这{food.measure}{food}很{taste}。 = This {food} is {taste}.
    {who}每天吃一{food.measure}{food}。 = {who} <eat.now@who> a {food} every day.
    {who}想买{few}{food.measure}{food}。 = {who} <want.now@who> to buy {few} {food.plural}.
    {who}害怕{wild}。 = {who} <be.now@who> afraid of {wild.plural}.
    {who}觉得{animal}很{nature}。 = {who} <think.now@who> {animal.plural} are {nature}.
    那{animal.measure}{animal}很{size}。 = That {animal} is {size}.
    那{ware.measure}{look}{ware}是{whose_alone}。 = That {look} {ware} is {whose_alone}.
    {who}喜欢那{ware.measure}{look}{ware}。 = {who} <like.now@who> that {look} {ware}.
    那{ware.measure}{look}{ware}是谁的？ = Whose {look} {ware} is that?
    {who}想买一{ware.measure}{look}{ware}。 = {who} <want.now@who> to buy a {look} {ware}.
    {spot}有一{gadget.measure}{look}{gadget}。 = There is a {look} {gadget} {spot}.
    {one}有一{pet.measure}{coat}{pet}。 = {one} <have.now@one> a {coat} {pet}.
    这是一{animal.measure}{coat}{animal}。 = This is a {coat} {animal}.
    {asked}{day}{asking}了什么？ = What did {asked} {asking} {day}?
    这是谁的{portable}？ = Whose {portable} is this?
    这不是{whose}{portable}。 = This is not {whose} {portable}.
    这{goods.measure}{goods}多少钱？ = How much is this {goods}?
    那{priced.measure}{priced}{price}块钱。 = That {priced} costs {price} yuan.
    {whose}{portable}在{spot}。 = {whose} {portable} is {spot}.
    {whose}{portable}不在{spot}。 = {whose} {portable} is not {spot}.
    {whose}{portable}在哪里？ = Where is {whose} {portable}?
    {whose}{clothes}是{color}色的。 = {whose} {clothes} is {color}.
    {spot}有一{portable.measure}{portable}。 = There is a {portable} {spot}.
    {spot}有{few}{portable.measure}{portable}。 = There are {few} {portable.plural} {spot}.
    {spot}没有{portable}。 = There is no {portable} {spot}.
    动物园里有{few}{wild.measure}{wild}。 = There are {few} {wild.plural} in the zoo.
    农场里有{few}{farm.measure}{farm}。 = There are {few} {farm.plural} on the farm.
    {who}有{some:pet}。 = {who} <have.now@who> {some:pet}.
    {who}没有{owned}。 = {who} <do.now@who> not have a {owned}.
    {asked}有{owned}吗？ = <do.now@asked> {asked} have a {owned}?
    {asked}有几{pet.measure}{pet}？ = How many {pet.plural} <do.now@asked> {asked} have?
    {whose}{furry}正在{surface}下面睡觉。 = {whose} {furry} is sleeping under the {surface}.
"""

PLACES = """
    {city}今天很{weather}。 = It is {weather} in {city} today.
    {city}{day}{fall}了。 = It {fall.past} in {city} {day}.
    {city}{soon}会{fall}。 = It will {fall} in {city} {soon}.
    {place}离{place2}很远。 = The {place} is far from the {place2}.
    {asked_one}在{room}里吗？ = <be.now@asked_one> {asked_one} in the {room}?
    {whose}{carried}在{room}里。 = {whose} {carried} is in the {room}.
    {asked}来自{country}吗？ = <do.now@asked> {asked} come from {country}?
    {place}在{place2}{side}。 = The {place} is {side} the {place2}.
    {place}{side}有一{place2.measure}{place2}。 = There is a {place2} {side} the {place}.
    {asked}{day}去了哪里？ = Where did {asked} go {day}?
    {place}在哪里？ = Where is the {place}?
    这附近有{place}吗？ = Is there a {place} near here?
    这{place.measure}{place}很{site}。 = This {place} is {site}.
    那{place.measure}{place}{site}吗？ = Is that {place} {site}?
    这{place.measure}{place}比那{place.measure}{site}。 = This {place} is {site.more} than that one.
    这{place.measure}{place}{both}。 = This {place} is {both}.
    {open}{early}点开门。 = The {open} opens at {early}.
    {person}在一{workplace.measure}{workplace}工作。 = {person} <work.now@person> at a {workplace}.
    {asked_one}在{workplace}工作吗？ = <do.now@asked_one> {asked_one} work at a {workplace}?
    {person}以前在一{workplace.measure}{workplace}工作。 = {person} used to work at a {workplace}.
    {person}住在{city}。 = {person} <live.now@person> in {city}.
    {asked}住在{city}吗？ = <do.now@asked> {asked} live in {city}?
    {who}去过{city}。 = {who} <have.now@who> been to {city}.
    {who}没去过{country}。 = {who} <have.now@who> not been to {country}.
    {asked}去过{city}吗？ = <have.now@asked> {asked} been to {city}?
    {person}想去{country}旅行。 = {person} <want.now@person> to travel to {country}.
"""

HABITS = """
    {who}{habit}{routine}。 = {who} {routine.now@who} {habit}.
    {who}{habit}在{scene}。 = {who} {scene.now@who} {habit}.
    {who}{habit}去{shop}买东西。 = {who} <go.now@who> to the {shop} to buy things {habit}.
    {habit}，{who}都{routine}。 = {habit}, {who} {routine.now@who}.
    {who}{often}{hobby}。 = {who} {often} {hobby.now@who}.
    {person}每天{clock}。 = {person} {clock.now@person} every day.
    {person}每天坐{commute}去上班。 = {person} <take.now@person> the {commute} to work every day.
    {who}喜欢{liked}。 = {who} <like.now@who> {liked}.
    {who}不喜欢{liked}。 = {who} <do.now@who> not like {liked}.
    {asked}喜欢{liked}吗？ = <do.now@asked> {asked} like {liked}?
    {who}会{skill}。 = {who} can {skill}.
    {who}不会{skill}。 = {who} cannot {skill}.
    {asked}会说{language}吗？ = Can {asked} speak {language}?
    {person}{art}很好。 = {person} {art.now@person} well.
    {person}{art}不好。 = {person} does not {art} well.
    {asked_one}{art}好吗？ = <do.now@asked_one> {asked_one} {art} well?
    {person}{art}比{other}好。 = {person} {art.now@person} better than {other.object}.
    {person}教{stranger}{language}。 = {person} <teach.now@person> {stranger} {language}.
    {who}正在{doing}。 = {who} <be.now@who> {doing.ing}.
    {who}正在{scene}。 = {who} <be.now@who> {scene.ing}.
    {asked}正在{doing}吗？ = <be.now@asked> {asked} {doing.ing}?
    {who}正在学{skill}。 = {who} <be.now@who> learning to {skill}.
    {who}喜欢一边{background}一边{chore}。
        = {who} <like.now@who> {background.ing} while {chore.ing}.
"""

PAST = """
    {who}{day}{deed.了}。 = {who} {deed.past} {day}.
    {day}，{who}{deed.了}。 = {day}, {who} {deed.past}.
    {who}刚{deed.了}。 = {who} <have.now@who> just {deed.done}.
    谁{day}{task.了}？ = Who {task.past} {day}?
    {who}{day}{task.了}。 = {who} {task.past} {day}.
    {who}{day}没{task}。 = {who} did not {task} {day}.
    {asked}{day}{task.了}吗？ = Did {asked} {task} {day}?
    {who}已经{task.了}。 = {who} <have.now@who> already {task.done}.
    {who}还没{task}。 = {who} <have.now@who> not {task.done} yet.
    {who}{day}忘了{task}。 = {who} forgot to {task} {day}.
    {who}{past}去{city}了。 = {who} went to {city} {past}.
    {who}{past}坐{vehicle}去了{city}。 = {who} went to {city} by {vehicle} {past}.
    {who}{day}坐{commute}去了{place}。 = {who} went to the {place} by {commute} {day}.
    {who}{day}跟{other}一起去了{place}。 = {who} went to the {place} with {other.object} {day}.
    {who}学了{few}年{language}。 = {who} studied {language} for {few} years.
    {person}在{city}住了{few}年。 = {person} lived in {city} for {few} years.
    {who}{day}送给了{other}一{gadget.measure}{gadget}。
        = {who} gave {other.object} a {gadget} {day}.
    {who}花{price}块钱买了一{priced.measure}{priced}。 = {who} bought a {priced} for {price} yuan.
"""

BA = """
    {who}把{portable}放在了{spot}。 = {who} put the {portable} {spot}.
    请把{portable}放在{spot}。 = Please put the {portable} {spot}.
    别把{portable}放在{spot}。 = Do not put the {portable} {spot}.
    {who}把{whose}{portable}{transfer}了{other}。
        = {who} {transfer.past} {whose} {portable} to {other.object}.
    {who}把{whose}{fragile}弄坏了。 = {who} broke {whose} {fragile}.
    {who}把{room}打扫干净了。 = {who} cleaned the {room}.
    {who}把{food}都吃完了。 = {who} ate all the {food.plural}.
    {whose}{fragile}被{other}弄坏了。 = {whose} {fragile} was broken by {other.object}.
    {whose}{carried}{day}被偷了。 = {whose} {carried} was stolen {day}.
    {whose}{machine}已经修好了。 = {whose} {machine} has already been repaired.
    {who}忘了带{carried}。 = {who} forgot to bring {who.own} {carried}.
    {who}找不到自己的{carried}了。 = {who} cannot find {who.own} {carried}.
    {who}正在找{whose}{carried}。 = {who} <be.now@who> looking for {whose} {carried}.
    {who}卖掉了自己的{big}。 = {who} sold {who.own} {big}.
"""

FUTURE = """
    {who}{future}会{task}。 = {who} will {task} {future}.
    {who}{future}不会{task}。 = {who} will not {task} {future}.
    {asked}{future}会{task}吗？ = Will {asked} {task} {future}?
    {who}{future}打算{task}。 = {who} <plan.now@who> to {task} {future}.
    {who}{later}要去{city}。 = {who} <be.now@who> going to {city} {later}.
    {asked}什么时候去{city}？ = When will {asked} go to {city}?
    {who}应该{task}。 = {who} should {task}.
    {who}{future}必须{task}。 = {who} must {task} {future}.
    {who}想{task}。 = {who} <want.now@who> to {task}.
    {who}不想{hobby}。 = {who} <do.now@who> not want to {hobby}.
    {who}想学{skill}。 = {who} <want.now@who> to learn to {skill}.
    我们{soon}去公园{outdoors}吧。 = Let's go to the park to {outdoors} {soon}.
    {who}想学{language}。 = {who} <want.now@who> to learn {language}.
    你能帮我{favor}吗？ = Can you help me {favor}?
    我们{future}{outing}吧。 = Let's {outing} {future}.
    别忘了{task}。 = Do not forget to {task}.
    请帮我{housework}。 = Please help me {housework}.
    谁来{housework}？ = Who will {housework}?
    请给我{cup}。 = Please give me {cup}.
    请不要在这里{banned}。 = Please do not {banned} here.
    请先{housework}，再{housework2}。 = Please {housework} first and then {housework2}.
"""

COMPLEX = """
    穿{color}色{worn}的那个女人是我{woman}。 = The woman in the {color} {worn} is my {woman}.
    穿{color}色{worn}的那个男人是他{man}。 = The man in the {color} {worn} is his {man}.
    {one}{day}买的{ware}很{verdict}。 = The {ware} that {one} bought {day} is {verdict}.
    {person}做的{meal}很{flavor}。 = The {meal} that {person} cooked is {flavor}.
    这是{person}写的{text}。 = This is the {text} that {person} wrote.
    {one}认识一{job.measure}{described}的{job}。 = {one} <know.now@one> a {job} {described}.
    那{job.measure}{described}的{job}很{mood}。 = The {job} {described} is {mood}.
    {who}不认识那{job.measure}正在{doing}的{job}。
        = {who} <do.now@who> not know the {job} who is {doing.ing}.
    {spot}的那{portable.measure}{portable}是{whose_alone}。
        = The {portable} {spot} is {whose_alone}.
    因为{day}{fall}了，所以{who}没{outing}。 = {who} did not {outing} because it {fall.past} {day}.
    {who}因为{ailing}，没来{gathering}。
        = {who} did not come {gathering} because {who.again} <be.past@who> {ailing}.
    如果{soon}{fall}，{who}就{stay}。 = If it {fall.now} {soon}, {who} will {stay}.
    {who}虽然很{weary}，但是还在{chore}。
        = Although {who} <be.now@who> {weary}, {who.again} <be.now@who> still {chore.ing}.
    {who}觉得{this:ware}很{quality}。 = {who} <think.now@who> {this:ware} is {quality}.
    {person}说{person.again}{future}会{errand}。
        = {person} <say.now@person> {person.again} will {errand} {future}.
    {who}不知道{place}在哪里。 = {who} <do.now@who> not know where the {place} is.
    {asked}知道{whose}{portable}在哪里吗？
        = <do.now@asked> {asked} know where {whose} {portable} is?
    {person}回家的时候，{other}正在{doing}。
        = When {person} came home, {other} <be.past@other> {doing.ing}.
"""

# Those in which more can be said are written more often.
SENTENCES = PEOPLE + THINGS + PLACES + HABITS + 3 * PAST + BA + 2 * FUTURE + 2 * COMPLEX
