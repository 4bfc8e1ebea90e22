"""Who an account belongs to, as a digest that is the same in every home: people and organisations are no secrets.

Homes that share a cap over one server have to call it by one name, and no key is common to them.
"""

import hashlib


def holder_digest(plan: str, identity: str) -> str:
    """What stands for a person or an organisation of a plan. The vendor's own id is kept nowhere."""
    text = f"{plan}\0{identity}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, person=b"perilune holder").hexdigest()
