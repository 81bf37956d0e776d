"""The models: which there are, and getting them."""

from typing import TYPE_CHECKING, Annotated

import typer

from .common import Json, command, draw, emit, say

if TYPE_CHECKING:
    from clipcore.models import ModelInfo


@command
def models(
    everything: Annotated[bool, typer.Option("--all", help="Every architecture and tag that open_clip knows.")] = False,
    get: Annotated[str | None, typer.Option(help="Download this model, then stop.")] = None,
    self_test: Annotated[str | None, typer.Option("--self-test", help="Try this model on known pictures and words.")] = None,
    speed: Annotated[str | None, typer.Option(help="Measure this model's images a second here; it is remembered.")] = None,
    remove: Annotated[str | None, typer.Option(help="Delete this fetched model from the hub's cache.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    as_json: Json = False,
) -> None:
    """List the models: which are here, how large and how good they are. A * marks the best for their cost."""
    from dataclasses import asdict

    from clipcore.models import catalogue, iter_fetch

    if get:
        draw(iter_fetch(get), "MB")
        emit(as_json, {"name": get, "here": True}, f"{get} is here")
    if self_test:
        _self_test(self_test, as_json)
    if speed:
        _speed(speed, as_json)
    if remove:
        _remove(remove, yes, as_json)
    if get or self_test or speed or remove:
        return
    for info in catalogue(everything):
        size = f"{info.megabytes:,} MB" if info.megabytes else "?"
        accuracy = f"{info.imagenet:.1f} % ImageNet" if info.imagenet else ""
        here = "here" if info.here else "-"
        rate = f"{info.speed:,.0f}/s" if info.speed else ""
        name = f"{info.name}{' *' if info.pareto else ''}"
        cells = (
            f"{info.memory:,} MB memory" if info.memory else "",
            f"{info.image_size} px" if info.image_size else "",
            f"{info.gflops:,.4g} GFLOP" if info.gflops else "",
            info.languages,
            _licence(info),
            info.about,
        )
        more = "; ".join(cell for cell in cells if cell)
        emit(as_json, asdict(info), f"{name:<48} {here:<5} {size:>9} {rate:>8}  {accuracy:<16} {more}".rstrip())
    say("Accuracy is zero-shot, as published; speeds are measured with --speed; --json has all columns and the sources.")


def _licence(info: "ModelInfo") -> str:
    if not info.licence:
        return f"licence unknown: see {info.page}" if info.page else ""
    return f"{info.licence}: not for commercial use" if info.restricted else info.licence


def _self_test(name: str, as_json: bool) -> None:
    from dataclasses import asdict

    import clipcore
    from clipcore.models.selftest import iter_self_test

    found = draw(iter_self_test(clipcore.load(name)), "check")
    for check in found.checks:
        emit(as_json, asdict(check), f"{check.verdict:<7} {check.name:<11} {check.sentence}")
    say(found.sentence)
    if found.verdict == "failed":
        raise typer.Exit(1)


def _speed(name: str, as_json: bool) -> None:
    import clipcore
    from clipcore.models.speed import iter_measure_speed

    encoder = clipcore.load(name)
    rate = draw(iter_measure_speed(encoder, name), "%")
    row = {"name": name, "images_per_second": round(rate, 2), "device": encoder.device.type}
    emit(as_json, row, f"{name} takes in {rate:,.1f} images of one megapixel a second on this {encoder.device.type.upper()}")


def _remove(name: str, yes: bool, as_json: bool) -> None:
    from clipcore import BadInput
    from clipcore.models import remove

    if not yes and not typer.confirm(f"Delete {name} from this computer?", err=True):
        raise BadInput("Nothing was removed.")
    freed = remove(name)
    emit(as_json, {"name": name, "freed_megabytes": freed}, f"{name} is removed; {freed:,} MB are free again")
