"""Drawings of plants and people."""

# fmt: off
from .sheet import INK, Sheet, box, oval, smooth


def tulips() -> Sheet:
    sheet = Sheet("flat", "#fbe7d8", height=400)
    for x, top, colour, lean in ((110, 130, "#e63946", -14), (200, 92, "#f4a300", 0), (290, 132, "#d43f8d", 14)):
        sheet.line(smooth((200 + (x - 200) * 0.3, 400), (x - lean, 290), (x, top + 60), closed=False), "#3f7d4e", 9)
        sheet.shape(smooth((x - 44, top - 22), (x - 22, top + 12), (x, top - 34), (x + 22, top + 12),
            (x + 44, top - 22), (x + 38, top + 54), (x, top + 78), (x - 38, top + 54)), colour)
    for side in (-1, 1):
        sheet.shape(smooth((200, 400), (200 + side * 60, 320), (200 + side * 118, 232), (200 + side * 92, 340),
            (200 + side * 40, 400)), "#57a063")
    return sheet


def daisies() -> Sheet:
    sheet = Sheet("crayon", seed=16)
    sheet.shape(smooth((0, 250), (150, 240), (400, 254), (400, 300), (0, 300)), "#6fae5c", line=False)
    for x, y in ((95, 120), (210, 92), (318, 128)):
        sheet.line(smooth((x + 8, 275), (x - 6, 205), (x, y), closed=False), "#3f7d4e", 7)
        sheet.shape(oval(x + 24, 222, 24, 9, -30), "#5d9c4f")
        for turn in range(0, 360, 36):
            place = oval(0, 0, 36, arc=(turn, turn))[0]
            sheet.shape(oval(x + place[0], y + place[1], 20, 10, turn),
                "#e77fb3" if x > 300 else "#ffffff" if x < 100 else "#8fb8ee")
        sheet.shape(oval(x, y, 20), "#f5b700")
    return sheet


def sunflower() -> Sheet:
    sheet = Sheet("ink", seed=17, height=400)
    sheet.line(smooth((205, 395), (190, 310), (200, 190), closed=False), "#4d7c3f", 10)
    sheet.shape(smooth((196, 330), (120, 270), (82, 300), (120, 336)), "#7cab5a")
    sheet.shape(smooth((196, 352), (270, 300), (318, 318), (270, 358)), "#7cab5a")
    for turn in range(0, 360, 24):
        place = oval(0, 0, 92, arc=(turn, turn))[0]
        sheet.shape(oval(200 + place[0], 150 + place[1], 40, 16, turn), "#f7c325")
    sheet.shape(oval(200, 150, 62), "#7b4a21")
    for ring in (18, 36, 52):
        sheet.dots("#3d2412", *oval(200, 150, ring)[:: max(3, 300 // (ring * 2))], size=2.6)
    return sheet


def vase() -> Sheet:
    sheet = Sheet("wash", seed=18, height=400)
    sheet.shape([(0, 318), (400, 306), (400, 400), (0, 400)], "#d8b48a", line=False)
    for x, y, colour in ((120, 120, "#d1495b"), (200, 78, "#edae49"), (280, 118, "#8e5ea2"), (162, 168, "#3d82b8"),
        (242, 170, "#d1495b")):
        sheet.line(smooth((200, 250), ((x + 200) / 2, 205), (x, y), closed=False), "#4f7d45", 4)
        for turn in range(0, 360, 60):
            place = oval(0, 0, 20, arc=(turn, turn))[0]
            sheet.shape(oval(x + place[0], y + place[1], 19, 14, turn), colour)
        sheet.shape(oval(x, y, 11), "#f7e08a")
    sheet.shape(smooth((160, 236), (240, 236), (226, 262), (262, 318), (236, 362), (164, 362), (138, 318),
        (174, 262)), "#5f9ea0")
    return sheet


def mushroom() -> Sheet:
    sheet = Sheet("ink", seed=19)
    sheet.shape(smooth((170, 160), (230, 160), (240, 262), (160, 262)), "#f1e6cf")
    sheet.shape(smooth((70, 168), (100, 80), (200, 42), (300, 80), (330, 168), (200, 184)), "#d7382f")
    for x, y, size in ((130, 110, 15), (195, 80, 19), (262, 112, 16), (170, 144, 12), (235, 150, 11)):
        sheet.shape(oval(x, y, size, size * 0.85), "#fffdf7")
    for x in range(60, 350, 18):
        sheet.line(smooth((x, 276), (x + 3, 262), (x - 4, 246), closed=False), "#5d8a4a", 3)
    return sheet


def cactus() -> Sheet:
    sheet = Sheet("flat", "#fce5c0", height=400)
    sheet.shape(oval(310, 80, 40), "#f4a259")
    sheet.line(smooth((176, 210), (110, 212), (108, 140), closed=False), "#4f8f5b", 34)
    sheet.line(smooth((220, 250), (292, 248), (294, 178), closed=False), "#4f8f5b", 34)
    sheet.shape(box(164, 70, 236, 330, 36), "#5aa469")
    for x in (182, 200, 218):
        for y in range(96, 300, 30):
            sheet.line([(x - 4, y), (x + 4, y + 5)], "#e9f5e1", 2.4)
    sheet.shape(oval(200, 68, 18, 12), "#e85d75")
    sheet.shape([(132, 300), (268, 300), (252, 392), (148, 392)], "#c8643c")
    sheet.shape(box(122, 288, 278, 314, 4), "#db7b4d")
    return sheet


def tree() -> Sheet:
    sheet = Sheet("crayon", seed=21)
    sheet.shape(smooth((0, 240), (180, 228), (400, 244), (400, 300), (0, 300)), "#7ab55c", line=False)
    sheet.shape(smooth((182, 250), (188, 170), (160, 140), (240, 140), (214, 172), (222, 250)), "#7a5130")
    for x, y, size in ((140, 118, 52), (262, 116, 52), (200, 78, 62), (198, 134, 56)):
        sheet.shape(oval(x, y, size, size * 0.82), "#4c9141", line=False)
    for x, y in ((150, 96), (205, 60), (246, 112), (178, 138), (276, 134), (120, 128)):
        sheet.shape(oval(x, y, 9), "#d62839")
    return sheet


def pines() -> Sheet:
    sheet = Sheet("flat")
    sheet.sky("#f7c59f", "#efefd0")
    sheet.shape([(0, 220), (90, 120), (170, 190), (260, 90), (400, 215), (400, 300), (0, 300)], "#8d99ae")
    for x, size, colour in ((40, 0.8, "#2f5d50"), (110, 1.1, "#244b41"), (205, 0.9, "#2f5d50"),
        (285, 1.25, "#1b3a33"), (362, 0.95, "#2f5d50")):
        sheet.shape(box(x - 5, 250, x + 5, 290), "#5b4030")
        for level in range(3):
            top, width = 262 - size * (64 + 38 * level), size * (46 - 9 * level)
            sheet.shape([(x, top - size * 22), (x + width, top + size * 44), (x - width, top + size * 44)], colour)
    sheet.shape(smooth((0, 270), (200, 262), (400, 274), (400, 300), (0, 300)), "#dfe7d8")
    return sheet


def girl() -> Sheet:
    sheet = Sheet("flat", "#bfd8e8", height=400)
    sheet.shape(smooth((112, 200), (104, 100), (200, 52), (296, 100), (288, 200), (305, 300), (95, 300)), "#4a2c2a")
    sheet.shape(smooth((70, 400), (92, 330), (170, 302), (230, 302), (308, 330), (330, 400)), "#e4572e")
    sheet.shape(box(172, 250, 228, 322, 20), "#d99a70")
    sheet.shape(oval(200, 190, 76, 88), "#e8b088")
    sheet.shape(smooth((122, 175), (140, 105), (200, 92), (268, 110), (280, 175), (230, 140), (170, 134)), "#4a2c2a")
    for x in (170, 230):
        sheet.shape(oval(x, 192, 11, 9), "#ffffff")
        sheet.dots("#30231f", (x, 192), size=7)
        sheet.line(oval(x, 176, 14, 7, arc=(200, 340)), "#4a2c2a", 4)
    sheet.line(smooth((200, 198), (194, 218), (204, 220), closed=False), "#b97b54", 3.4)
    sheet.line(smooth((172, 240), (200, 256), (228, 240), closed=False), "#a63d40", 6)
    return sheet


def family() -> Sheet:
    sheet = Sheet("crayon", seed=24)
    sheet.shape(smooth((0, 262), (200, 254), (400, 264), (400, 300), (0, 300)), "#7ab55c", line=False)
    for x, head, shirt, hair, tall in ((90, 28, "#3a6ea5", "#4b2e20", 1.0), (205, 27, "#c8553d", "#d9a441", 0.95),
        (308, 23, "#7b5ea7", "#4b2e20", 0.68)):
        ground, hips = 268, 268 - 75 * tall
        neck = hips - 80 * tall
        for side in (-1, 1):
            sheet.line([(x + side * 10, hips), (x + side * 16, ground)], "#33415c", 13 * tall)
            sheet.line(smooth((x + side * 18, neck + 12), (x + side * 40, neck + 36),
                (x + side * 50, neck + 62 * tall), closed=False), "#e3ac83", 9 * tall)
        sheet.shape([(x - 22, neck), (x + 22, neck), (x + 30 * tall, hips + 6), (x - 30 * tall, hips + 6)], shirt)
        sheet.shape(oval(x, neck - head + 3, head), "#f0bf96")
        sheet.shape(oval(x, neck - head - 2, head + 2, head, arc=(180, 360)), hair)
        sheet.dots(INK, (x - 9, neck - head + 6), (x + 9, neck - head + 6), size=3)
        sheet.line(oval(x, neck - head + 10, 10, 8, arc=(20, 160)), "#a63d40", 3)
    sheet.shape(oval(362, 42, 28), "#f5b700")
    return sheet


def snowman() -> Sheet:
    sheet = Sheet("crayon", "#cfe0ee", seed=51, height=400)
    sheet.shape(smooth((0, 340), (200, 328), (400, 342), (400, 400), (0, 400)), "#ffffff", line=False)
    sheet.line([(250, 200), (330, 150)], "#6b4a34", 6)
    sheet.line([(150, 200), (70, 160)], "#6b4a34", 6)
    for y, size in ((300, 76), (198, 56), (112, 42)):
        sheet.shape(oval(200, y, size), "#f6f9fc")
    sheet.shape(box(150, 66, 250, 80), "#2b2a33")
    sheet.shape(box(168, 14, 232, 70), "#2b2a33")
    sheet.dots(INK, (186, 104), (214, 104), (200, 180), (200, 206), (200, 232), size=5)
    sheet.shape([(200, 112), (252, 122), (200, 126)], "#f0821e")
    sheet.shape(box(158, 146, 242, 164, 8), "#d62839")
    return sheet


DRAWINGS = {
    "tulips": tulips, "daisies": daisies, "sunflower": sunflower, "vase": vase, "mushroom": mushroom, "cactus":
    cactus, "apple tree": tree, "pines": pines, "girl": girl, "family": family, "snowman": snowman,
}
