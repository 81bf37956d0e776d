"""Drawings of what people make and ride."""

# fmt: off
from .sheet import INK, Sheet, box, oval, smooth


def cup() -> Sheet:
    sheet = Sheet("flat", "#d8cbb8")
    sheet.shape(oval(200, 240, 150, 26), "#b7a78f")
    sheet.shape(oval(195, 228, 130, 24), "#fdfaf3")
    sheet.line(oval(290, 150, 34, 38, arc=(-100, 110)), "#fdfaf3", 14)
    sheet.shape(smooth((105, 100), (285, 100), (278, 180), (240, 224), (150, 224), (112, 180)), "#fdfaf3")
    sheet.shape(oval(195, 102, 90, 22), "#e7ddcb")
    sheet.shape(oval(195, 105, 78, 16), "#5a3420")
    for x in (165, 198, 231):
        sheet.line(smooth((x, 78), (x + 10, 58), (x - 8, 40), (x + 4, 20), closed=False), "#f7f2e9", 5)
    return sheet


def cup_from_above() -> Sheet:
    sheet = Sheet("wash", seed=32, height=400)
    sheet.shape(oval(200, 205, 165), "#c9d6df")
    sheet.shape(oval(200, 205, 112), "#fffdf8")
    sheet.line([(300, 160), (352, 132)], "#fffdf8", 26)
    sheet.line([(300, 160), (352, 132)], "#9fb3c1", 3)
    sheet.shape(oval(200, 205, 96), "#8a5a36")
    sheet.shape(smooth((200, 262), (138, 210), (150, 166), (182, 164), (200, 186), (218, 164), (250, 166),
        (262, 210)), "#f1e0c5")
    return sheet


def teapot() -> Sheet:
    sheet = Sheet("ink", seed=33)
    sheet.line(oval(300, 155, 48, 52, arc=(-95, 95)), "#3d6f8e", 13)
    sheet.shape(smooth((125, 170), (80, 140), (52, 92), (72, 82), (108, 110), (140, 140)), "#7fb2cf")
    sheet.shape(oval(210, 168, 98, 82), "#7fb2cf")
    sheet.shape(oval(210, 92, 52, 13), "#5b93b3")
    sheet.shape(oval(210, 72, 13), "#e07a5f")
    for x in (165, 210, 255):
        sheet.shape(oval(x, 172, 14), "#ffffff")
        sheet.shape(oval(x, 172, 5), "#e07a5f")
    return sheet


def rocket_in_space() -> Sheet:
    sheet = Sheet("flat", "#16213e", height=400)
    sheet.dots("#ffffff", (40, 60), (90, 150), (330, 50), (360, 200), (60, 280), (300, 320), (350, 350), (130, 40),
        (250, 30), (30, 380), size=2.4)
    sheet.shape(oval(330, 330, 90), "#ef8354")
    sheet.shape(oval(330, 330, 130, 18, -18), "#f9c784")
    sheet.shape([(160, 290), (200, 392), (240, 290)], "#f7b801")
    sheet.shape([(178, 290), (200, 350), (222, 290)], "#fff3b0")
    for side in (-1, 1):
        sheet.shape(smooth((200 + side * 42, 200), (200 + side * 92, 262), (200 + side * 88, 312),
            (200 + side * 40, 282)), "#d62839")
    sheet.shape(smooth((200, 40), (250, 120), (252, 230), (232, 296), (168, 296), (148, 230), (150, 120)), "#edf2f4")
    sheet.shape(smooth((200, 38), (236, 92), (200, 104), (164, 92)), "#d62839")
    sheet.shape(oval(200, 160, 30), "#8d99ae")
    sheet.shape(oval(200, 160, 21), "#7bdff2")
    return sheet


def rocket_in_crayon() -> Sheet:
    sheet = Sheet("crayon", seed=35, height=400)
    sheet.shape(oval(70, 70, 34), "#f5b700")
    sheet.shape([(165, 292), (182, 380), (200, 330), (218, 384), (236, 292)], "#f48c06")
    sheet.shape([(155, 220), (95, 300), (158, 286)], "#3a86c8")
    sheet.shape([(245, 220), (305, 300), (242, 286)], "#3a86c8")
    sheet.shape(box(155, 120, 245, 294), "#c9ccd3")
    sheet.shape([(155, 120), (200, 40), (245, 120)], "#d62839")
    sheet.shape(oval(200, 166, 24), "#8ecae6")
    sheet.shape(box(155, 230, 245, 250), "#d62839")
    return sheet


def launch() -> Sheet:
    sheet = Sheet("chalk", "#20242e", seed=36, height=400)
    sheet.line([(290, 350), (290, 90)], "#f2efe6", 5)
    for y in range(110, 350, 40):
        sheet.line([(290, y), (322, y + 36)], "#f2efe6", 2.6)
        sheet.line([(322, y), (290, y + 36)], "#f2efe6", 2.6)
    sheet.line([(322, 350), (322, 90)], "#f2efe6", 5)
    sheet.shape(smooth((190, 50), (226, 110), (226, 290), (154, 290), (154, 110)), "#e8e6df")
    for side in (-1, 1):
        sheet.shape(box(190 + side * 52 - 13, 170, 190 + side * 52 + 13, 300, 10), "#e9a23b")
    for x, y, size in ((100, 340, 44), (160, 352, 40), (226, 350, 42), (286, 346, 36), (40, 362, 34), (345, 360, 34)):
        sheet.shape(oval(x, y, size, size * 0.7), "#aeb4c0")
    sheet.shape([(160, 292), (190, 342), (220, 292)], "#f4b942")
    return sheet


def _wheel(sheet: Sheet, x: float, y: float, size: float, tyre: str = INK) -> None:
    sheet.shape(oval(x, y, size), tyre)
    sheet.shape(oval(x, y, size * 0.5), "#c4c9d1")


def car() -> Sheet:
    sheet = Sheet("flat", "#f3e9d2")
    sheet.shape(box(0, 222, 400, 300), "#8d99ae")
    for x in (20, 150, 280):
        sheet.shape(box(x, 262, x + 80, 270), "#f3e9d2")
    sheet.shape(smooth((100, 150), (140, 90), (190, 80), (260, 84), (306, 150)), "#bf2f24")
    sheet.shape(smooth((124, 148), (152, 104), (196, 98), (196, 148)), "#bfe3ee")
    sheet.shape(smooth((208, 98), (252, 102), (282, 148), (208, 148)), "#bfe3ee")
    sheet.shape(smooth((40, 170), (60, 148), (200, 142), (340, 148), (368, 180), (362, 222), (42, 222)), "#d93b2f")
    sheet.shape(oval(356, 176, 10, 13), "#ffe9a8")
    _wheel(sheet, 115, 222, 34, "#2b2d33")
    _wheel(sheet, 292, 222, 34, "#2b2d33")
    return sheet


def bus() -> Sheet:
    sheet = Sheet("crayon", seed=43)
    sheet.shape([(0, 236), (400, 236), (400, 300), (0, 300)], "#8a8d94", line=False)
    sheet.shape(box(40, 80, 360, 232, 22), "#f2b705")
    for x in (60, 122, 184, 246):
        sheet.shape(box(x, 102, x + 48, 148, 6), "#a8d8ea")
    sheet.shape(box(306, 102, 342, 228, 4), "#a8d8ea")
    sheet.shape(box(40, 170, 296, 182), "#33415c")
    _wheel(sheet, 112, 234, 30)
    _wheel(sheet, 268, 234, 30)
    return sheet


def bicycle() -> Sheet:
    sheet = Sheet("ink", seed=44)
    for x in (110, 292):
        sheet.line(oval(x, 192, 66), INK, 5)
        for turn in range(0, 180, 30):
            ends = oval(x, 192, 62, arc=(turn, turn + 180))
            sheet.line([ends[0], ends[-1]], "#9aa0a8", 1.3)
        sheet.dots(INK, (x, 192), size=6)
    for places in ([(110, 192), (168, 108), (258, 104), (196, 192), (110, 192)], [(168, 108),
        (196, 192)], [(292, 192), (250, 72)]):
        sheet.line(places, "#d1495b", 7)
    sheet.line([(168, 108), (160, 84)], INK, 5)
    sheet.line([(140, 82), (182, 82)], INK, 10)
    sheet.line(smooth((226, 76), (252, 70), (276, 74), (282, 92), closed=False), INK, 6)
    sheet.line(oval(196, 192, 15), INK, 4)
    return sheet


def train() -> Sheet:
    sheet = Sheet("chalk", seed=45)
    for x in range(10, 400, 26):
        sheet.line([(x, 254), (x + 10, 254)], "#c9a27a", 8)
    sheet.line([(0, 244), (400, 244)], "#f2efe6", 4)
    sheet.shape(box(60, 80, 150, 214), "#d1603d")
    sheet.shape(box(80, 100, 130, 146), "#bfe3ee")
    sheet.shape(box(46, 66, 164, 84), "#7c8da3")
    sheet.shape(box(148, 130, 330, 214, 20), "#5f9e6e")
    sheet.shape([(272, 132), (262, 84), (316, 84), (306, 132)], "#7c8da3")
    for x, y, size in ((282, 62, 15), (262, 42, 20), (228, 28, 25)):
        sheet.shape(oval(x, y, size, size * 0.8), "#dfe3e8")
    for x, size in ((104, 28), (196, 22), (246, 22), (298, 22)):
        _wheel(sheet, x, 242 - size, size, "#e9c46a")
    return sheet


def umbrella() -> Sheet:
    sheet = Sheet("ink", seed=52)
    for x in range(20, 400, 34):
        sheet.line([(x, 14 + x % 3 * 14), (x - 8, 40 + x % 3 * 14)], "#7aa6c2", 2.4)
    sheet.line([(200, 60), (200, 250)], "#5b4030", 6)
    sheet.line(oval(182, 250, 18, arc=(0, 180)), "#5b4030", 6)
    sheet.shape(smooth((60, 168), (100, 90), (200, 56), (300, 90), (340, 168), (305, 154), (270, 168), (235, 152),
        (200, 168), (165, 152), (130, 168), (95, 154)), "#e0533d")
    for x in (130, 200, 270):
        sheet.line(smooth((200, 58), ((x + 200) / 2, 104), (x, 166), closed=False), INK, 2.2)
    return sheet


def guitar() -> Sheet:
    sheet = Sheet("wash", seed=54, height=400)
    sheet.shape(box(186, 40, 214, 210), "#5b3a26")
    sheet.shape(box(180, 14, 220, 52, 6), "#3f2819")
    sheet.shape(smooth((200, 178), (262, 196), (254, 250), (290, 320), (240, 382), (160, 382), (110, 320),
        (146, 250), (138, 196)), "#d08c3f")
    sheet.shape(oval(200, 262, 30), "#3a2416")
    sheet.shape(box(164, 330, 236, 342), "#3f2819")
    for x in (191, 197, 203, 209):
        sheet.line([(x, 24), (x, 336)], "#f4ead6", 1.3)
    return sheet


DRAWINGS = {
    "cup": cup, "cup from above": cup_from_above, "teapot": teapot, "rocket in space": rocket_in_space,
    "rocket in crayon": rocket_in_crayon, "launch": launch, "car": car, "bus": bus, "bicycle": bicycle, "train": train,
    "umbrella": umbrella, "guitar": guitar,
}
