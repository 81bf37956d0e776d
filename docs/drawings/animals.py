"""Drawings of animals."""

# fmt: off
import numpy as np

from .sheet import INK, Sheet, box, oval, smooth


def cat_on_a_sill() -> Sheet:
    sheet = Sheet("flat", "#f6d9a8")
    sheet.shape(box(60, 20, 340, 225), "#9fd0dd")
    sheet.shape(oval(285, 70, 28), "#fff3c4")
    sheet.shape(smooth((60, 190), (130, 150), (220, 185), (340, 150), (340, 225), (60, 225)), "#7fb48a")
    sheet.shape(box(193, 20, 203, 225), "#f4efe4")
    sheet.shape(box(30, 222, 370, 250), "#b9774a")
    sheet.line(smooth((245, 228), (290, 222), (305, 190), (288, 165), closed=False), "#3a3540", 13)
    sheet.shape(smooth((165, 228), (160, 170), (185, 130), (225, 132), (250, 175), (252, 228)), "#3a3540")
    sheet.shape([(163, 100), (160, 55), (190, 80)], "#3a3540")
    sheet.shape([(212, 80), (243, 56), (238, 104)], "#3a3540")
    sheet.shape(oval(201, 108, 42, 36), "#3a3540")
    for x in (185, 218):
        sheet.shape(oval(x, 104, 8, 10), "#f3c94b")
        sheet.shape(oval(x, 104, 3, 9), "#1c1a20")
    sheet.shape([(196, 118), (207, 118), (201, 125)], "#e59aa0")
    for y in (122, 130):
        sheet.line([(188, y), (150, y - 6 + (y - 122))], "#f4efe4", 1.6)
        sheet.line([(214, y), (252, y - 6 + (y - 122))], "#f4efe4", 1.6)
    return sheet


def _cat_face(sheet: Sheet, fur: str, x: float, y: float, size: float) -> None:
    """The face of a cat around a place."""

    def at(*places: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + size * across, y + size * down) for across, down in places]

    for side in (-1, 1):
        sheet.shape(at((side * 0.95, -0.35), (side * 0.88, -1.25), (side * 0.25, -0.82)), fur)
        sheet.shape(at((side * 0.82, -0.5), (side * 0.78, -1.02), (side * 0.42, -0.8)), "#e8a9a4")
    sheet.shape(oval(x, y, size * 1.05, size * 0.88), fur)
    for side in (-1, 1):
        sheet.shape(oval(x + side * size * 0.42, y - size * 0.12, size * 0.2, size * 0.17), "#b7d36b")
        sheet.shape(oval(x + side * size * 0.42, y - size * 0.12, size * 0.07, size * 0.16), INK, line=False)
        for lift in (-0.08, 0.06, 0.2):
            sheet.line(at((side * 0.3, 0.32), (side * 1.35, 0.2 + lift)), INK, 1.8)
    sheet.shape(at((-0.12, 0.2), (0.12, 0.2), (0, 0.34)), "#d9828b")
    for side in (-1, 1):
        sheet.line(smooth(*at((0, 0.34), (side * 0.12, 0.48), (side * 0.3, 0.46)), closed=False), INK, 2.4)


def cat_in_ink() -> Sheet:
    sheet = Sheet("ink", seed=3, height=400)
    _cat_face(sheet, "#e6a65d", 200, 215, 110)
    for x in (-26, 0, 26):
        sheet.line(smooth((200 + x, 128), (200 + x * 0.8, 150), (200 + x * 0.6, 166), closed=False), "#8a4f22", 5)
    return sheet


def cat_in_chalk() -> Sheet:
    sheet = Sheet("chalk", seed=4)
    sheet.line(smooth((292, 190), (345, 175), (350, 120), (320, 90), closed=False), "#e9c46a", 11)
    sheet.shape(smooth((110, 150), (180, 128), (262, 135), (300, 170), (298, 212), (120, 212)), "#e9c46a")
    for x in (128, 165, 248, 280):
        sheet.shape(box(x - 11, 200, x + 11, 262, 8), "#e9c46a")
    _cat_face(sheet, "#e9c46a", 105, 125, 50)
    sheet.line([(30, 264), (375, 264)], "#f2efe6", 4)
    return sheet


def cat_asleep() -> Sheet:
    sheet = Sheet("crayon", seed=5)
    sheet.shape(oval(200, 212, 165, 52), "#b23a48")
    sheet.shape(oval(210, 170, 112, 66), "#8d8f99")
    for x in (190, 225, 260):
        sheet.line(smooth((x, 112), (x + 12, 135), (x + 8, 160), closed=False), "#565863", 7)
    sheet.line(smooth((312, 190), (270, 232), (190, 236), (130, 218), closed=False), "#6d6f7a", 20)
    sheet.shape([(82, 140), (86, 92), (118, 122)], "#8d8f99")
    sheet.shape([(132, 120), (166, 96), (162, 142)], "#8d8f99")
    sheet.shape(oval(122, 168, 54, 46), "#8d8f99")
    for x in (100, 142):
        sheet.line(oval(x, 160, 11, 9, arc=(20, 160)), INK, 4)
    sheet.shape([(115, 180), (129, 180), (122, 189)], "#e59aa0")
    return sheet


def dog() -> Sheet:
    sheet = Sheet("flat", "#cfe6d4", height=400)
    sheet.shape(smooth((120, 400), (128, 300), (200, 268), (272, 300), (280, 400)), "#c98b4e")
    sheet.shape(smooth((170, 400), (168, 330), (200, 305), (232, 330), (230, 400)), "#fbf3e2")
    sheet.shape(oval(200, 190, 92, 98), "#c98b4e")
    sheet.shape(smooth((128, 118), (88, 132), (70, 220), (98, 268), (124, 228)), "#7d4e2a")
    sheet.shape(smooth((272, 118), (312, 132), (330, 220), (302, 268), (276, 228)), "#7d4e2a")
    sheet.shape(oval(200, 235, 56, 50), "#fbf3e2")
    sheet.shape(smooth((184, 262), (200, 258), (216, 262), (214, 302), (200, 312), (186, 302)), "#e5707e")
    sheet.line(smooth((160, 248), (180, 266), (200, 254), (220, 266), (240, 248), closed=False), "#3a2a20", 5)
    sheet.shape(oval(200, 216, 24, 17), "#2b2127")
    sheet.dots("#2b2127", (164, 170), (236, 170), size=12)
    sheet.dots("#ffffff", (168, 166), (240, 166), size=4)
    sheet.shape(box(128, 318, 272, 336, 8), "#d64545")
    sheet.shape(oval(200, 346, 14), "#f0c040")
    return sheet


def fish() -> Sheet:
    sheet = Sheet("wash", seed=7)
    sheet.shape(smooth((20, 40), (200, 20), (380, 45), (385, 260), (200, 282), (15, 258)), "#a9d6e5", line=False)
    sheet.shape([(292, 150), (366, 92), (350, 150), (366, 212)], "#e76f51")
    sheet.shape(smooth((150, 100), (205, 52), (262, 104)), "#e76f51")
    sheet.shape(smooth((60, 150), (130, 92), (230, 92), (302, 150), (230, 208), (130, 208)), "#f4a261")
    for x in (150, 195, 240):
        sheet.line(smooth((x, 102), (x + 16, 150), (x, 198), closed=False), "#ffffff", 9)
    sheet.shape(smooth((170, 160), (222, 172), (180, 196)), "#e76f51")
    sheet.dots("#ffffff", (102, 138), size=13)
    sheet.dots(INK, (100, 138), size=7)
    for x, y, r in ((45, 112, 7), (34, 86, 10), (50, 60, 6)):
        sheet.line(oval(x, y, r), "#4a90a4", 2.5)
    return sheet


def shoal() -> Sheet:
    sheet = Sheet("flat")
    sheet.sky("#3fb6c4", "#0b3c5d")
    colours = ("#ffd166", "#ef476f", "#f78c6b", "#ffffff")
    for number, (x, y) in enumerate(((80, 70), (180, 50), (290, 85), (120, 140), (235, 150), (330, 175), (70, 215),
        (185, 230))):
        colour = colours[number % 4]
        sheet.shape([(x + 22, y), (x + 48, y - 18), (x + 42, y), (x + 48, y + 18)], colour)
        sheet.shape(oval(x, y, 33, 19), colour)
        sheet.dots("#0b2233", (x - 18, y - 4), size=4)
    for x in (30, 62, 350, 375):
        sheet.line(smooth((x, 300), (x + 9, 275), (x - 7, 252), (x + 5, 226), closed=False), "#2a9d6f", 7)
    return sheet


def bird() -> Sheet:
    sheet = Sheet("flat", "#e9f1f4")
    sheet.line(smooth((0, 242), (120, 226), (260, 238), (400, 214), closed=False), "#6b4a34", 13)
    for x, y, turn in ((60, 214, -30), (330, 196, -20), (300, 250, 25), (372, 236, 30)):
        sheet.shape(oval(x, y, 24, 10, turn), "#6a9c5b")
    sheet.shape([(255, 180), (345, 232), (332, 246), (240, 212)], "#2d5d8b")
    sheet.shape(smooth((118, 118), (150, 92), (200, 116), (262, 176), (246, 222), (190, 228), (140, 196)), "#3f7fb8")
    sheet.shape(smooth((128, 150), (160, 150), (200, 196), (190, 226), (150, 206)), "#f08a4b")
    sheet.shape(smooth((180, 138), (240, 160), (274, 200), (220, 198)), "#2d5d8b")
    sheet.shape([(84, 128), (122, 116), (122, 138)], "#f2b134")
    sheet.dots("#ffffff", (146, 118), size=9)
    sheet.dots("#16202a", (145, 118), size=6)
    for x in (180, 200):
        sheet.line([(x, 226), (x - 2, 238)], "#8a5a2b", 4)
    return sheet


def duck() -> Sheet:
    sheet = Sheet("crayon", seed=9)
    sheet.shape(smooth((0, 205), (130, 212), (270, 204), (400, 212), (400, 300), (0, 300)), "#5aa9d6", line=False)
    sheet.shape(smooth((110, 160), (180, 172), (260, 150), (325, 120), (318, 190), (270, 226), (170, 228),
        (118, 205)), "#f5c518")
    sheet.shape(smooth((190, 182), (250, 168), (286, 172), (250, 206)), "#e0a800")
    sheet.shape(oval(135, 118, 46), "#f5c518")
    sheet.shape(smooth((96, 116), (52, 122), (56, 138), (98, 138)), "#ee7b30")
    sheet.dots(INK, (124, 106), size=7)
    for x in (60, 300, 210):
        sheet.line(smooth((x, 254), (x + 20, 248), (x + 40, 254), (x + 60, 248), closed=False), "#2b6f9c", 4)
    return sheet


def owl() -> Sheet:
    sheet = Sheet("ink", seed=11, height=400)
    sheet.line(smooth((20, 345), (200, 352), (385, 338), closed=False), "#5b4636", 16)
    sheet.shape(smooth((105, 120), (95, 70), (140, 92), (200, 84), (260, 92), (305, 70), (295, 120), (305, 250),
        (200, 340), (95, 250)), "#a9825a")
    sheet.shape(oval(200, 252, 62, 78), "#ead9bd")
    for y in (215, 245, 275, 303):
        for x in range(165, 240, 24):
            sheet.line(oval(x + (y % 2) * 8, y, 9, 7, arc=(0, 180)), "#7a5a3c", 2.4)
    for x in (155, 245):
        sheet.shape(oval(x, 152, 42), "#fff7e0")
        sheet.shape(oval(x, 152, 22), "#f2a83b")
        sheet.dots(INK, (x, 152), size=12)
    sheet.shape([(188, 176), (212, 176), (200, 202)], "#d98e32")
    sheet.shape(smooth((100, 190), (80, 260), (110, 312), (132, 250)), "#8a6642")
    sheet.shape(smooth((300, 190), (320, 260), (290, 312), (268, 250)), "#8a6642")
    return sheet


def butterfly() -> Sheet:
    sheet = Sheet("wash", seed=12)
    for side in (-1, 1):
        x = 200
        sheet.shape(smooth((x, 140), (x + side * 60, 50), (x + side * 140, 40), (x + side * 148, 110),
            (x + side * 70, 152)), "#5b6ee1")
        sheet.shape(smooth((x, 150), (x + side * 80, 158), (x + side * 118, 205), (x + side * 70, 258),
            (x + side * 20, 200)), "#f08a5d")
        sheet.shape(oval(x + side * 108, 82, 18, 15), "#ffe08a")
        sheet.shape(oval(x + side * 72, 202, 15, 18), "#ffe08a")
        sheet.line(smooth((x, 98), (x + side * 12, 62), (x + side * 34, 44), closed=False), INK, 2.6)
    sheet.shape(oval(200, 152, 9, 62), "#3b3247")
    return sheet


def whale() -> Sheet:
    sheet = Sheet("chalk", "#1f3044", seed=13)
    sheet.shape(smooth((40, 190), (60, 120), (150, 92), (240, 120), (300, 165), (345, 128), (372, 86), (388, 130),
        (352, 196), (250, 236), (120, 240)), "#6fb1d6")
    sheet.shape([(345, 135), (312, 92), (372, 96)], "#6fb1d6")
    sheet.line(smooth((48, 200), (130, 208), (200, 236), closed=False), "#f2efe6", 3)
    sheet.dots("#f2efe6", (92, 168), size=6)
    for x in (-28, 0, 28):
        sheet.line(smooth((140, 90), (140 + x * 0.5, 60), (140 + x, 44),
            (140 + x * 1.6, 56), closed=False), "#cfe8f5", 4)
    for y in (262, 280):
        sheet.line(smooth(*((x, y + (x // 25 % 2) * 7) for x in range(10, 400, 25)), closed=False), "#cfe8f5", 3)
    return sheet


def snail() -> Sheet:
    sheet = Sheet("crayon", seed=14)
    sheet.shape(smooth((0, 236), (200, 228), (400, 240), (400, 300), (0, 300)), "#79b473", line=False)
    sheet.shape(smooth((70, 160), (96, 170), (120, 205), (240, 212), (345, 232), (330, 244), (110, 246),
        (72, 214)), "#d9b48f")
    sheet.shape(oval(215, 148, 82), "#c8553d")
    turns = np.linspace(0, 5.4, 66)
    reach = 74 - 12 * turns
    sheet.line(list(zip(215 + reach * np.cos(1.2 * turns), 148 + reach * np.sin(1.2 * turns), strict=True)),
        "#7a2f20", 6)
    for x in (66, 88):
        sheet.line([(82, 166), (x - 8, 112)], "#b08a63", 5)
        sheet.dots(INK, (x - 8, 110), size=6)
    return sheet


DRAWINGS = {
    "cat on a sill": cat_on_a_sill, "cat in ink": cat_in_ink, "cat in chalk": cat_in_chalk, "cat asleep":
    cat_asleep, "dog": dog, "goldfish": fish, "shoal": shoal, "bluebird": bird, "duck": duck, "owl": owl,
    "butterfly": butterfly, "whale": whale, "snail": snail,
}
