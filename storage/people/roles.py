"""The roles of people, each with what those before it may do; and the scopes that narrow a program's token to one."""

from typing import Literal, get_args

Role = Literal["viewer", "labeller", "owner"]
ROLES: tuple[Role, ...] = get_args(Role)
SCOPES: dict[str, Role] = {"read": "viewer", "label": "labeller", "manage": "owner"}
