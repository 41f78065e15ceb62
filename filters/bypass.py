"""What tells that a connection tries to hide where it goes: a real Encrypted Client Hello against GREASE."""

from collections.abc import Set

from filters.model import Hello


def hello_of(asked: str, outer: str | None, *, encrypted: bool, outer_names: Set[str]) -> Hello:
    """What a ClientHello tells, from the name the client asked the box for, the server name in the hello (None when
    there is none), whether it carries the encrypted_client_hello extension, and the known outer names.

    Browsers send the extension as GREASE to everybody (RFC 9849 section 6.2), with the true name outside. It is real
    where the outer name is a provider's public name or is not the name that was asked for.
    """
    if outer is None:
        return Hello.NO_NAME
    if encrypted and (outer in outer_names or outer != asked):
        return Hello.ENCRYPTED
    return Hello.NAMED
