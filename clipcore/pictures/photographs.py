"""The photographs that ship inside scikit-image, with what can be seen on them: known pictures, with nothing to download."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Photograph:
    """A file of scikit-image, a plain name for it, and two captions that fit it and none of the others."""

    file: str
    name: str
    captions: tuple[str, str]


# drawings, X-rays and test patterns are left out
PHOTOGRAPHS = (
    Photograph("astronaut.png", "astronaut.png", ("an astronaut", "a woman in an orange space suit")),
    Photograph("brick.png", "brick wall.png", ("a brick wall", "bricks")),
    Photograph("camera.png", "man with camera.png", ("a man with a camera", "a photographer with a tripod")),
    Photograph("chelsea.png", "cat.png", ("a cat", "the face of a cat")),
    Photograph("clock_motion.png", "clock.png", ("a clock", "a wall clock")),
    Photograph("coffee.png", "coffee.png", ("a cup of coffee", "a coffee cup on a table")),
    Photograph("coins.png", "coins.png", ("coins", "old coins")),
    Photograph("grass.png", "grass.png", ("grass", "a lawn")),
    Photograph("gravel.png", "gravel.png", ("gravel", "small stones")),
    Photograph("hubble_deep_field.jpg", "galaxies.jpg", ("galaxies in space", "stars in the night sky")),
    Photograph("moon.png", "moon.png", ("the moon", "craters on the moon")),
    Photograph("motorcycle_left.png", "motorcycle.png", ("a motorcycle", "a motorbike in a garage")),
    Photograph("page.png", "page.png", ("a page of text", "printed text")),
    Photograph("rocket.jpg", "rocket.jpg", ("a rocket", "a rocket on the launch pad")),
)


def photograph_file(photograph: Photograph) -> Path:
    """Where it lies on this computer; a scikit-image without it is possible, so look first."""
    import skimage

    return Path(skimage.__file__).parent / "data" / photograph.file
