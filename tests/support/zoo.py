"""A zoo: odd picture files and odd data sets as people have them, each made here, with what is right for it."""

import io
import struct
import tarfile
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, features

READ, NOTED, SKIPPED, NOTHING = "read", "read, with a note", "skipped, with the reason", "no photo, passed over"
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 40, 220)}


@dataclass(frozen=True)
class Odd:
    """One file: what is odd about it, its path below the zoo, its bytes, and what becomes of it."""

    situation: str
    path: bytes | str
    data: bytes
    right: str = READ


def scene(number: int, size: tuple[int, int] = (48, 36)) -> Image.Image:
    """A picture like no other of the zoo, mostly of one of three colours."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    colour = np.array(list(COLOURS.values())[number % 3], float)
    light = 0.75 + 0.25 * np.sin((x * (1 + number % 7) + y * (1 + number % 5)) / 9 + number)
    return Image.fromarray((light[..., None] * colour).astype(np.uint8))


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def tiff(values: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)  # type: ignore[arg-type]
    return file.getvalue()


def files() -> list[Odd]:
    """Every odd file; no two pictures that are read have the same bytes."""
    numbers = iter(range(10_000))

    def fresh(format: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
        return encoded(scene(next(numbers)).convert(mode), format, **options)

    return [
        *_endings(fresh),
        *_formats(fresh, numbers),
        *_tiffs(numbers),
        *_jpegs(fresh, numbers),
        *_names(fresh),
        *_refused(fresh),
        *_no_photos(fresh),
    ]


Fresh = Callable[..., bytes]


def _endings(fresh: Fresh) -> Iterator[Odd]:
    for ending in ("jpg", "JPG", "jpeg", "Jpeg", "jpe", "jfif", "jif", "pjpeg", "pjp", "jps", "insp", "mpo", "JFIF"):
        yield Odd(f"a JPEG called .{ending}", f"endings/a.{ending}", fresh())
    for ending, format in (("png", "PNG"), ("apng", "PNG"), ("dib", "BMP"), ("bmp", "BMP"), ("tif", "TIFF"), ("gif", "GIF")):
        yield Odd(f"{format} called .{ending}", f"endings/b.{ending}", fresh(format, "P" if format == "GIF" else "RGB"))
    pairs = (
        ("PNG", "jpg"),
        ("WEBP", "jpg"),
        ("JPEG", "png"),
        ("GIF", "png"),
        ("BMP", "tif"),
        ("TIFF", "jpeg"),
        ("PNG", "dng"),
    )
    for format, ending in (*pairs, ("JPEG", "heic"), ("JPEG", "cr2"), ("WEBP", "gif")):
        mode = "P" if format == "GIF" else "RGB"
        yield Odd(f"{format} that is called .{ending}", f"endings/{format}.{ending}", fresh(format, mode))


def _formats(fresh: Fresh, numbers: Iterator[int]) -> Iterator[Odd]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        if mode == "I;16":
            values = np.asarray(scene(next(numbers)).convert("L"), np.uint16) * 257
            yield Odd("PNG of 16 bits", "formats/sixteen.png", encoded(Image.fromarray(values), "PNG"))
        else:
            yield Odd(f"PNG, mode {mode}", f"formats/{mode}.png", fresh("PNG", mode))
    for bits in (10, 12, 14):
        values = np.asarray(scene(next(numbers)).convert("L"), np.uint16) << (bits - 8)
        yield Odd(f"PNG of {bits} bits in 16", f"formats/{bits} bits.png", encoded(Image.fromarray(values), "PNG"))
    yield Odd("PNG with a transparent colour", "formats/key.png", fresh("PNG", "P", transparency=3))
    for name, options in (("lossy", {}), ("lossless", {"lossless": True}), ("best", {"quality": 100})):
        yield Odd(f"WebP, {name}", f"formats/{name}.webp", fresh("WEBP", "RGB", **options))
    yield Odd("WebP with transparency", "formats/clear.webp", fresh("WEBP", "RGBA"))
    for mode in ("1", "L", "P", "RGB"):
        yield Odd(f"BMP, mode {mode}", f"formats/{mode}.bmp", fresh("BMP", mode))
    if features.check("avif"):
        yield Odd("AVIF", "formats/a.avif", fresh("AVIF"))
    for format, ending in (("GIF", "gif"), ("WEBP", "webp"), ("PNG", "apng")):
        frames = [scene(next(numbers)) for _ in range(3)]
        moving = encoded(frames[0], format, save_all=True, append_images=frames[1:])
        yield Odd(f"{format}, animated", f"formats/moving.{ending}", moving)
        black = encoded(Image.new("RGB", (48, 36)), format, save_all=True, append_images=frames[1:])
        yield Odd(f"{format}, animated, the first frame black", f"formats/black first.{ending}", black)
    for size in ((1, 1), (1, 150), (150, 1), (2, 2), (4000, 30)):
        image = scene(next(numbers), size)
        yield Odd(f"{size[0]} x {size[1]} pixels", f"formats/{size[0]}x{size[1]}.png", encoded(image, "PNG"))


def _tiffs(numbers: Iterator[int]) -> Iterator[Odd]:
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr", "I;16", "I", "F"):
        image = scene(next(numbers))
        grey = np.asarray(image.convert("L"))
        if mode in ("I;16", "I", "F"):
            kinds = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
            image = Image.fromarray(grey.astype(kinds[mode]) * 200)
        elif mode == "LAB":
            from PIL import ImageCms

            srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
            image = ImageCms.applyTransform(image, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
        else:
            image = image.convert(mode)
        yield Odd(f"TIFF, mode {mode}", f"tiff/{mode}.tif", encoded(image, "TIFF"))
    for packing in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield Odd(f"TIFF, {packing}", f"tiff/{packing}.tiff", encoded(scene(next(numbers)), "TIFF", compression=packing))
    fax = scene(next(numbers)).convert("1")
    yield Odd("TIFF of a fax machine", "tiff/fax.tif", encoded(fax, "TIFF", compression="group4"))
    pages = [scene(next(numbers)) for _ in range(3)]
    yield Odd("TIFF of several pages", "tiff/pages.tif", encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    rgb = np.asarray(scene(next(numbers)))
    deep = rgb.astype(np.uint16) * 257
    planes, five = np.moveaxis(deep, 2, 0), np.concatenate([deep, deep[..., :2]], 2)
    yield Odd("TIFF, RGB of 16 bits", "tiff/16.tif", tiff(deep, photometric="rgb"))
    yield Odd("TIFF, 16 bits in planes", "tiff/planes.tif", tiff(planes, photometric="rgb", planarconfig="separate"))
    yield Odd("TIFF, floats", "tiff/float.tif", tiff(deep.astype(np.float32), photometric="rgb"))
    yield Odd("TIFF, five channels", "tiff/five.tif", tiff(five, photometric="minisblack", planarconfig="contig"))
    yield Odd("TIFF, 12 bits in 16", "tiff/12.tif", tiff(deep >> 4, photometric="rgb"))
    yield Odd("TIFF above 4 GB's kind", "tiff/big.tif", tiff(rgb, photometric="rgb", bigtiff=True))
    yield Odd("TIFF, half floats", "tiff/half.tif", tiff(rgb[..., 0].astype(np.float16)))
    yield Odd("TIFF, signed", "tiff/signed.tif", tiff(rgb[..., 1].astype(np.int16) - 100))
    yield Odd("TIFF, whole numbers of 32 bits", "tiff/u32.tif", tiff(rgb[..., 2].astype(np.uint32) * 9999))
    yield Odd("TIFF of complex numbers", "tiff/complex.tif", tiff(rgb[..., 0].astype(np.complex64)), SKIPPED)


def _jpegs(fresh: Fresh, numbers: Iterator[int]) -> Iterator[Odd]:
    for mode in ("L", "CMYK"):
        yield Odd(f"JPEG, mode {mode}", f"jpeg/{mode}.jpg", fresh("JPEG", mode))
    for name, options in (
        ("progressive", {"progressive": True}),
        ("4:4:4", {"subsampling": 0}),
        ("4:2:2", {"subsampling": 1}),
        ("of quality 1", {"quality": 1}),
        ("with a comment", {"comment": b"x" * 99}),
        ("with a broken colour profile", {"icc_profile": b"no profile"}),
        ("with broken EXIF", {"exif": b"Exif\0\0no TIFF header"}),
        ("with restart marks", {"restart_marker_blocks": 2}),
    ):
        yield Odd(f"JPEG {name}", f"jpeg/{name.replace(':', '-')}.jpg", fresh("JPEG", "RGB", **options))
    for way in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = way
        yield Odd(f"JPEG turned by EXIF {way}", f"jpeg/turned {way}.jpg", fresh("JPEG", "RGB", exif=exif))
    for cut in (1, 2, 20):
        whole = encoded(scene(next(numbers), (160, 120)), "JPEG", quality=95)
        yield Odd(f"JPEG without its last {cut} bytes", f"jpeg/cut {cut}.jpg", whole[:-cut], NOTED)
    finer = encoded(scene(next(numbers), (160, 120)), "JPEG", progressive=True)
    yield Odd("progressive JPEG without its end", "jpeg/finer cut.jpg", finer[:-2], NOTED)
    whole = encoded(scene(next(numbers), (160, 120)), "JPEG", quality=95)
    yield Odd("JPEG of which half is missing", "jpeg/half.jpg", whole[: len(whole) // 2], SKIPPED)
    yield Odd("JPEG with something behind its end", "jpeg/more.jpg", fresh() + b"trailer" * 50)
    packet = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"
    data = fresh()
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    yield Odd("JPEG with XMP in it", "jpeg/xmp.jpg", data[:2] + segment + data[2:])


NAMES = (
    *(
        "with spaces.jpg",
        "two  spaces.jpg",
        " leading.jpg",
        "trailing .jpg",
        "dots.in.name.jpg",
        "no'quote.jpg",
        'say "hi".jpg',
    ),
    *("semi;colon.jpg", "com,ma.jpg", "=SUM(1).jpg", "-dash.jpg", "+plus.jpg", "@at.jpg", "per%20cent.jpg", "ha#sh.jpg"),
    *("que?stion.jpg", "back\\slash.jpg", "new\nline.jpg", "tab\t.jpg", "emoji 🐈.jpg", "中文.jpg", "кошка.jpg", "عربي.jpg"),
    *("a&b<c>.jpg", "{label}.jpg", "[1].jpg", "$HOME.jpg", "`x`.jpg", "café.jpg", unicodedata.normalize("NFD", "naïve.jpg")),
    *(
        "zero\u200bwidth.jpg",
        "soft\u00adhyphen.jpg",
        "right\u200eto.jpg",
        "한글.jpg",
        "x" * 200 + ".jpg",
        "IMG-20230405-WA0007.jpg",
    ),
)


def _names(fresh: Fresh) -> Iterator[Odd]:
    for name in NAMES:
        shown = name if name.isprintable() and len(name) < 60 else ascii(name[:40])
        yield Odd(f"called {shown}", f"names/{name}", fresh())
    yield Odd("a name that is no UTF-8", b"names/caf\xe9.jpg", fresh())


def _refused(fresh: Fresh) -> Iterator[Odd]:
    for name, data in {
        "empty.jpg": b"",
        "text.jpg": b"Dear diary",
        "page.jpg": b"<html><body>404</body></html>",
        "zeros.jpg": b"\0" * 4000,
        "head alone.jpg": fresh()[:40],
        "cut.png": fresh("PNG")[:-60],
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "layers.psd": b"8BPS" + b"\0" * 99,
        "sensor.cr2": b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 99,
        "sensor.orf": b"IIRO" + b"\0" * 99,
        "sensor.x3f": b"FOVb" + b"\0" * 99,
        "a.jxl": b"\xff\x0a" + b"\0" * 99,
        "a.jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 99,
        "strip.png": encoded(Image.new("RGB", (3000, 2), "red"), "PNG"),
        "film in disguise.jpg": b"\0\0\0\x18ftypisom" + b"\0" * 99,
    }.items():
        yield Odd(f"no picture: {name}", f"refused/{name}", data, SKIPPED)
    for ending in ("mp4", "mov", "avi", "mkv", "webm", "3gp", "m4v", "MTS"):
        yield Odd(f"a video, .{ending}", f"refused/clip.{ending}", b"\0\0\0\x18ftypisom", SKIPPED)


def _no_photos(fresh: Fresh) -> Iterator[Odd]:
    for folder in ("@eaDir", "#recycle", "@Recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information", "lost+found"):
        yield Odd(f"in {folder}", f"{folder}/a.jpg", fresh(), NOTHING)
    for path in (
        "__MACOSX/._a.jpg",
        "node_modules/logo.png",
        "Previews.lrdata/b.jpg",
        ".hidden/a.jpg",
        ".hidden.jpg",
        "._c.jpg",
    ):
        yield Odd(f"called {path}", path, fresh(), NOTHING)
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "notes.txt", "labels.csv", "a.jpg.xmp", "a.thm"):
        yield Odd(f"beside pictures: {name}", f"beside/{name}", b"x", NOTHING)


# data sets


@dataclass(frozen=True)
class OddSet:
    """One set: what is odd about it, how it is made below a folder (the answer is what a person names), the classes that
    are right with their numbers of pictures, and, of sets with parts, those to learn from and to measure on."""

    situation: str
    make: Callable[[Path], Path]
    right: dict[str, int]
    learned: dict[str, int] | None = None
    measured: dict[str, int] | None = None


PETS = {"red cat": 2, "green dog": 2}


def _lay(root: Path, *paths: str) -> Path:
    for path in paths:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        number = sum(map(ord, path)) % 900 * 3 + (0 if "red" in path else 1 if "green" in path else 2)
        place.write_bytes(encoded(scene(number), "PNG"))
    return root


def folders(*paths: str, under: str = "") -> Callable[[Path], Path]:
    return lambda root: _lay(root, *paths) / under


def table(text: str, name: str = "labels.csv", encoding: str = "utf-8", *paths: str) -> Callable[[Path], Path]:
    """A table beside four pictures."""

    def make(root: Path) -> Path:
        _lay(root, *(paths or FOUR))
        (root / name).write_bytes(text.format(root=root.as_posix(), dos=str(root).replace("/", "\\")).encode(encoding))
        return root / name

    return make


FOUR = ("pics/red1.png", "pics/red2.png", "pics/green1.png", "pics/green2.png")
CLASSES = ("red_cat/red1.png", "red_cat/red2.png", "green_dog/green1.png", "green_dog/green2.png")
ROWS = [
    ("pics/red1.png", "red cat"),
    ("pics/red2.png", "red cat"),
    ("pics/green1.png", "green dog"),
    ("pics/green2.png", "green dog"),
]


def rows(delimiter: str = ",", heading: str = "image,label", before: str = "", end: str = "\n", strip: str = "") -> str:
    lines = [
        *([heading.replace(",", delimiter)] if heading else []),
        *(delimiter.join((before + p.removeprefix(strip), n)) for p, n in ROWS),
    ]
    return end.join(lines) + end


def zipped(*paths: str, wrap: str = "") -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        _lay(root / "in", *paths)
        with zipfile.ZipFile(root / "pets.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for path in paths:
                file.write(root / "in" / path, wrap + path)
        return root / "pets.zip"

    return make


def shards(says: str, *, lists: bool = False, part: bool = False) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        for folder in ("train", "test") if part else ("",):
            (root / folder).mkdir(parents=True, exist_ok=True)
            with tarfile.open(root / folder / "0.tar", "w") as tar:
                for i, (_, name) in enumerate(ROWS):
                    number = sorted(PETS).index(name)
                    picture = encoded(scene(3 * i + (0 if "red" in name else 1)), "PNG")
                    told = {"cls": str(number) if lists else name, "json": f'{{"label": "{name}"}}'}[says].encode()
                    for ending, data in (("png", picture), (says, told)):
                        info = tarfile.TarInfo(f"s{i}.{ending}")
                        info.size = len(data)
                        tar.addfile(info, io.BytesIO(data))
        if lists:
            (root / "classnames.txt").write_text("\n".join(sorted(PETS)))
            (root / "zeroshot_classification_templates.txt").write_text("a photo of a {c}.")
        return root

    return make


def sets() -> list[OddSet]:
    """Every odd data set."""
    split = tuple(f"{part}/{path}" for part in ("train", "val", "test") for path in CLASSES)
    both = {name: 3 * count for name, count in PETS.items()}
    ids = ("n02121808/red1.png", "n02121808/red2.png", "n02084071/green1.png", "n02084071/green2.png")
    hot = "image,red cat,green dog\npics/red1.png,1,0\npics/red2.png,1,0\npics/green1.png,0,1\npics/green2.png,0,1\n"
    one_part = rows(heading="image,label,split").replace("cat\n", "cat,train\n").replace("dog\n", "dog,test\n")
    split_names = [("train", "valid", "test"), ("Training", "Validation", "Testing"), ("TRAIN", "DEV", "EVAL")]
    renamed = [
        tuple(path.replace("train/", f"{a}/").replace("val/", f"{b}/").replace("test/", f"{c}/") for path in split)
        for a, b, c in split_names
    ]
    return [
        OddSet("class folders", folders(*CLASSES), PETS),
        OddSet("class folders in one that wraps them", folders(*(f"pets/{p}" for p in CLASSES)), PETS),
        OddSet("class folders in two that wrap them", folders(*(f"archive/pets/{p}" for p in CLASSES)), PETS),
        OddSet("train, val and test above class folders (YOLO)", folders(*split), both, PETS, PETS),
        *(
            OddSet(f"parts called {', '.join(names)}", folders(*paths), both, PETS, PETS)
            for names, paths in zip(split_names, renamed, strict=True)
        ),
        OddSet(
            "train and val in a wrapper",
            folders(*(f"x/{p}" for p in split if not p.startswith("test"))),
            dict.fromkeys(PETS, 4),
            PETS,
            PETS,
        ),
        OddSet("only train", folders(*(p for p in split if p.startswith("train"))), PETS, PETS, PETS),
        OddSet(
            "test pictures without classes", folders(*split[:8], "test/images/blue1.png"), dict.fromkeys(PETS, 4), PETS, PETS
        ),
        OddSet("a class called train", folders("train/red1.png", "bus/green1.png"), {"train": 1, "bus": 1}),
        OddSet("folders in the class folders", folders(*(p.replace("/", "/2019/") for p in CLASSES)), PETS),
        OddSet("WordNet ids", folders(*ids), {"domestic cat": 2, "dog": 2}),
        OddSet(
            "WordNet ids with names",
            folders(*(p.replace("n02121808", "n02121808-red_cat").replace("n02084071", "n02084071-green_dog") for p in ids)),
            PETS,
        ),
        OddSet(
            "numbers before the names",
            folders(*(p.replace("red_", "001.red_").replace("green_d", "002.green_d") for p in CLASSES)),
            PETS,
        ),
        OddSet(
            "what a NAS keeps beside",
            folders(*CLASSES, "@eaDir/red1.png", "#recycle/red2.png", "red_cat/@eaDir/x.png"),
            PETS,
        ),
        OddSet(
            "letters of a Mac (NFD)",
            folders(*(unicodedata.normalize("NFD", p.replace("cat", "cät")) for p in CLASSES)),
            {"red cät": 2, "green dog": 2},
        ),
        OddSet("a picture beside the class folders", folders(*CLASSES, "cover.png"), PETS),
        OddSet("zipped", zipped(*CLASSES), PETS),
        OddSet("zipped in a folder", zipped(*CLASSES, wrap="pets/"), PETS),
        OddSet("zipped with parts", zipped(*split), both, PETS, PETS),
        OddSet("shards with .cls names", shards("cls"), PETS),
        OddSet("shards with .json", shards("json"), PETS),
        OddSet("CLIP_benchmark's layout", shards("cls", lists=True, part=True), dict.fromkeys(PETS, 4), PETS, PETS),
        *(
            OddSet(f"table, {name}", table(rows(mark), "t.csv"), PETS)
            for name, mark in (("commas", ","), ("semicolons", ";"), ("tabs", "\t"), ("bars", "|"))
        ),
        *(
            OddSet(f"table, {enc}", table(rows().replace("dog", "dég"), "t.csv", enc), {"red cat": 2, "green dég": 2})
            for enc in ("utf-8-sig", "utf-16", "utf-16-le", "cp1252", "mac_roman")
        ),
        OddSet("table, CRLF", table(rows(end="\r\n")), PETS),
        OddSet("table with sep=;", table("sep=;\n" + rows(";")), PETS),
        *(
            OddSet(f"columns {head}", table(rows(heading=head)), PETS)
            for head in ("FILENAME,Class", "file_name,category", "img_path,species", "Bild,Klasse")
        ),
        OddSet("table without heading", table(rows(heading="")), PETS),
        OddSet("table of file:// addresses", table(rows(before="file://{root}/")), PETS),
        OddSet("table of Windows paths", table(rows(before="C:\\Users\\me\\").replace("pics/", "pics\\")), PETS),
        OddSet("table of whole paths", table(rows(before="{root}/")), PETS),
        OddSet("table of names alone", table(rows(strip="pics/")), PETS),
        OddSet("ids without ending (Kaggle)", table(rows(strip="pics/", heading="id,breed").replace(".png", "")), PETS),
        OddSet("a column for each class", table(hot), PETS),
        OddSet("a column of parts", table(one_part), PETS, {"red cat": 2}, {"green dog": 2}),
        OddSet(
            "Label Studio's CSV", table(rows(strip="pics/", before="/data/upload/3/0123abcd-", heading="image,choice")), PETS
        ),
        OddSet(
            "JSON Lines", table("".join(f'{{{{"file_name": "{p}", "label": "{n}"}}}}\n' for p, n in ROWS), "t.jsonl"), PETS
        ),
    ]


def lay_out(root: Path, odd: Odd) -> Path:
    """Write a file of the zoo."""
    path = Path(root) / (odd.path if isinstance(odd.path, str) else odd.path.decode("utf-8", "surrogateescape"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(odd.data)
    return path


def counted(names: Iterator[str | None]) -> dict[str, int]:
    return dict(Counter(str(name) for name in names))
