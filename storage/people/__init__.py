"""Who works on a library together: people with accounts, what proves who asks, and who acts at this moment."""

from .accounts import People, Person
from .acting import acting, author
from .roles import ROLES, SCOPES, Role
from .tokens import Token, Tokens

__all__ = ["ROLES", "SCOPES", "People", "Person", "Role", "Token", "Tokens", "acting", "author"]
