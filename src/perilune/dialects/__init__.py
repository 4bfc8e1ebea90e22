"""OpenAI Chat, OpenAI Responses and Anthropic Messages: wire types and translation, streams too. Pure.

A body is read as far as its head (`head.Body`), passed on to its own dialect (`pass_through`) or translated
(`translate.translate_request`). Its answer goes the way back that `target.Context` says (`translate`, `stream`), or is
relayed and watched (`content.Relay`). Each dialect is a package with the same six names; the internal form stands
between them (`form`, `events`).
"""
