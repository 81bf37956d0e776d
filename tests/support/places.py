"""Photos with a GPS position."""

from PIL import ExifTags, Image

ROME = (41.8919, 12.5113)
ZURICH = (47.3769, 8.5417)


def located(path, position, colour="red"):
    """A JPEG that says where it was taken."""
    exif = Image.Exif()
    north, east = position
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitude: _parts(abs(north)),
            ExifTags.GPS.GPSLatitudeRef: "N" if north >= 0 else "S",
            ExifTags.GPS.GPSLongitude: _parts(abs(east)),
            ExifTags.GPS.GPSLongitudeRef: "E" if east >= 0 else "W",
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 20), colour).save(path, exif=exif)
    return path


def _parts(degrees):
    minutes = degrees % 1 * 60
    return (int(degrees), int(minutes), minutes % 1 * 60)
