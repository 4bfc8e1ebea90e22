"""The store: tables, migrations, and what each room keeps there.

`open_store` gives a `Store`; the modules beside it read and write one kind of row each, on a connection of its
`begin` or `read`.
"""
