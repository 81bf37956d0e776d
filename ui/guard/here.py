"""Whether a visitor may look at the folders of the computer that Sayso runs on: who sits at it, or knows the password."""

import ipaddress

from fastapi import Request

from clipcore import BadInput


def require_here(request: Request) -> None:
    """Raises BadInput for a visitor of another computer, unless there is a password, for which `Visitors` has asked, or an
    account, of whose role `Asking` has made sure."""
    if getattr(request.app.state, "has_password", False) or getattr(request.state, "person", None) is not None:
        return
    try:
        is_here = ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise BadInput("Folders are shown only on the computer that runs Sayso. Upload the photos instead.")
