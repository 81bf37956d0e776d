"""An answer that the browser keeps as a file."""

from urllib.parse import quote

from fastapi.responses import Response


def download(content: str | bytes, media_type: str, filename: str) -> Response:
    """The content as a file of this name; never cached, because what it says may change."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename)}", "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
