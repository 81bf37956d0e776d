"""Drawings of places, and of what is seen above them."""

# fmt: off
from .sheet import INK, Sheet, box, oval, smooth


def house() -> Sheet:
    sheet = Sheet("crayon", seed=37)
    sheet.shape(oval(350, 46, 30), "#f5b700")
    sheet.shape(smooth((0, 246), (200, 240), (400, 250), (400, 300), (0, 300)), "#6fae5c", line=False)
    sheet.shape(box(258, 56, 284, 110), "#8c4a3a")
    sheet.shape(box(110, 130, 300, 256), "#f2c879")
    sheet.shape([(88, 136), (205, 48), (322, 136)], "#c1352d")
    sheet.shape(box(182, 182, 226, 256), "#6b4226")
    for x in (132, 246):
        sheet.shape(box(x, 158, x + 36, 196), "#a8d8ea")
        sheet.line([(x + 18, 158), (x + 18, 196)], "#5b4030", 3)
        sheet.line([(x, 177), (x + 36, 177)], "#5b4030", 3)
    sheet.dots("#f5d547", (217, 222), size=4)
    for x in (40, 70, 340, 370):
        sheet.line([(x, 262), (x, 236)], "#3f7d4e", 4)
        sheet.shape(oval(x, 230, 10), "#d43f8d")
    return sheet


def castle() -> Sheet:
    sheet = Sheet("ink", seed=39)
    sheet.shape(smooth((0, 262), (120, 232), (290, 234), (400, 258), (400, 300), (0, 300)), "#9cc48a")
    sheet.shape(box(120, 140, 280, 248), "#c9c3b5")
    for left in (80, 270):
        sheet.shape(box(left, 100, left + 54, 252), "#b8b1a1")
        sheet.shape([(left - 8, 100), (left + 27, 36), (left + 62, 100)], "#8a5a83")
    for x in range(134, 268, 28):
        sheet.shape(box(x, 124, x + 16, 142), "#c9c3b5")
    sheet.shape([*oval(200, 205, 24, 28, arc=(180, 360)), (224, 249), (176, 249)], "#6b4a2f")
    for x in (107, 297):
        sheet.shape(oval(x, 140, 8, 14), "#4a5568")
        sheet.line([(x, 36), (x, 12)], INK, 3)
        sheet.shape([(x, 12), (x + 26, 19), (x, 27)], "#d62839")
    return sheet


def lighthouse() -> Sheet:
    sheet = Sheet("flat", height=400)
    sheet.sky("#8ecae6", "#f1faee")
    sheet.shape(box(0, 320, 400, 400), "#2a6f97")
    sheet.shape(smooth((70, 330), (120, 296), (280, 292), (345, 330), (320, 352), (90, 352)), "#6c584c")
    stripes = ((100, "#e63946"), (145, "#ffffff"), (190, "#e63946"), (235, "#ffffff"), (280, "#e63946"))
    for top, colour in stripes:
        wide, wider = 26 + (top - 100) * 0.11, 26 + (top - 55) * 0.11
        sheet.shape([(200 - wide, top), (200 + wide, top), (200 + wider, top + 45), (200 - wider, top + 45)], colour)
    sheet.shape(box(164, 88, 236, 102, 3), "#343a40")
    sheet.shape(box(178, 52, 222, 90), "#ffe066")
    sheet.shape([(170, 54), (200, 22), (230, 54)], "#e63946")
    for x, y in ((60, 110), (330, 80), (300, 150)):
        sheet.line(smooth((x - 16, y - 5), (x - 7, y - 10), (x, y), (x + 7, y - 10),
            (x + 16, y - 5), closed=False), "#495057", 3)
    return sheet


def windmill() -> Sheet:
    sheet = Sheet("wash", seed=41)
    sheet.shape(smooth((0, 20), (200, 8), (400, 20), (400, 200), (0, 200)), "#cfe3ee", line=False)
    sheet.shape(smooth((0, 232), (200, 220), (400, 236), (400, 300), (0, 300)), "#a9c77f", line=False)
    sheet.shape([(165, 110), (235, 110), (256, 250), (144, 250)], "#c98d6b")
    sheet.shape(smooth((160, 114), (200, 62), (240, 114)), "#7a4b3a")
    for turn in (20, 110, 200, 290):
        place = oval(0, 0, 62, arc=(turn, turn))[0]
        sheet.shape(oval(200 + place[0], 104 + place[1], 54, 13, turn), "#f3ead7")
    sheet.dots("#3b2a22", (200, 104), size=7)
    sheet.shape(box(186, 204, 214, 250), "#5a3a2a")
    return sheet


def sailing_boat() -> Sheet:
    sheet = Sheet("wash", seed=46)
    sheet.shape(smooth((0, 0), (400, 0), (400, 190), (0, 190)), "#d7e8ef", line=False)
    sheet.shape(oval(324, 62, 26), "#f6c667", line=False)
    sheet.shape(smooth((0, 196), (200, 188), (400, 198), (400, 300), (0, 300)), "#3f88a8", line=False)
    sheet.line([(200, 214), (200, 36)], "#5b4030", 5)
    sheet.shape(smooth((208, 42), (262, 110), (300, 192), (208, 192)), "#f7efe0")
    sheet.shape(smooth((192, 62), (152, 130), (118, 190), (192, 190)), "#d9573f")
    sheet.shape(smooth((98, 206), (306, 206), (276, 250), (132, 250)), "#7a4b2e")
    for x in (40, 290, 170):
        sheet.line(smooth((x, 272), (x + 20, 266), (x + 40, 272), (x + 60, 266), closed=False), "#e6f2f5", 3)
    return sheet


def harbour() -> Sheet:
    sheet = Sheet("flat", "#fde2c8")
    sheet.shape(box(0, 190, 400, 300), "#3d7ea6")
    sheet.shape(oval(200, 190, 46, 46, arc=(180, 360)), "#f28c5b")
    for x, size, colour in ((80, 0.8, "#2f4858"), (210, 1.15, "#c8432f"), (335, 0.7, "#2f4858")):
        y = 190 + 46 * size
        sheet.line([(x, y), (x, y - 130 * size)], "#4a3728", 4)
        sheet.shape([(x + 5, y - 126 * size), (x + 58 * size, y - 16 * size), (x + 5, y - 16 * size)], "#ffffff")
        sheet.shape([(x - 5, y - 104 * size), (x - 44 * size, y - 16 * size), (x - 5, y - 16 * size)], "#f7e3c6")
        sheet.shape(smooth((x - 66 * size, y - 6 * size), (x + 66 * size, y - 6 * size),
            (x + 46 * size, y + 20 * size), (x - 46 * size, y + 20 * size)), colour)
    return sheet


def balloons() -> Sheet:
    sheet = Sheet("flat", height=400)
    sheet.sky("#79c7e3", "#fef3d8")
    for x, y, size, colour, other in ((135, 130, 1.0, "#e4572e", "#f7c548"), (300, 215, 0.6, "#5b5f97", "#ffc145")):
        sheet.line([(x - 26 * size, y + 84 * size), (x - 13 * size, y + 132 * size)], "#5b4030", 2.4)
        sheet.line([(x + 26 * size, y + 84 * size), (x + 13 * size, y + 132 * size)], "#5b4030", 2.4)
        sheet.shape(smooth((x, y - 90 * size), (x + 84 * size, y - 30 * size), (x + 70 * size, y + 40 * size),
            (x + 26 * size, y + 92 * size), (x - 26 * size, y + 92 * size), (x - 70 * size, y + 40 * size),
            (x - 84 * size, y - 30 * size)), colour)
        sheet.shape(smooth((x, y - 90 * size), (x + 36 * size, y - 20 * size), (x + 12 * size, y + 92 * size),
            (x - 12 * size, y + 92 * size), (x - 36 * size, y - 20 * size)), other)
        sheet.shape(box(x - 17 * size, y + 130 * size, x + 17 * size, y + 158 * size, 3), "#8a5a2b")
    sheet.shape(smooth((0, 360), (130, 338), (270, 366), (400, 344), (400, 400), (0, 400)), "#7aa65a")
    return sheet


def night_moon() -> Sheet:
    sheet = Sheet("flat")
    sheet.sky("#0b1433", "#34497e")
    sheet.dots("#fdf6d8", (50, 50), (110, 100), (160, 36), (330, 120), (370, 40), (300, 180), (60, 160),
        (220, 150), size=2.6)
    sheet.shape(oval(250, 90, 56), "#fdf0b5")
    sheet.shape(oval(276, 76, 50), "#162148")
    sheet.shape(smooth((0, 250), (110, 205), (210, 240), (310, 200), (400, 236), (400, 300), (0, 300)), "#0a0f24")
    return sheet


def moon_over_the_sea() -> Sheet:
    sheet = Sheet("wash", "#2b3a55", seed=50, height=400)
    sheet.shape(oval(200, 140, 88), "#f6eec7")
    for x, y, size in ((170, 112, 16), (228, 150, 22), (186, 178, 12), (240, 100, 9)):
        sheet.shape(oval(x, y, size, size * 0.9), "#cfc79f", line=False)
    sheet.shape([(0, 280), (400, 280), (400, 400), (0, 400)], "#1c2a44", line=False)
    for number, y in enumerate(range(292, 396, 15)):
        wide = 70 - number * 6
        sheet.line([(200 - wide, y), (200 + wide, y)], "#f6eec7", 4)
    return sheet


DRAWINGS = {
    "house": house, "castle": castle, "lighthouse": lighthouse, "windmill": windmill, "sailing boat": sailing_boat,
    "harbour": harbour, "balloons": balloons, "crescent": night_moon, "moon over the sea": moon_over_the_sea,
}
