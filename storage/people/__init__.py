"""Who works on a library together: people with accounts, what proves who asks, and who acts at this moment."""

from .accounts import ROLES, People, Person, Role
from .acting import acting, author
from .tokens import SCOPES, Token, Tokens

__all__ = ["ROLES", "SCOPES", "People", "Person", "Role", "Token", "Tokens", "acting", "author"]
