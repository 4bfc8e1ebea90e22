"""What coding tools need to speak to the gateway: variables or a piece of their own configuration, one row a tool."""

from typing import Literal

from msgspec import Struct

PLACEHOLDER_KEY = "perilune-local"


class ClientSettings(Struct, frozen=True):
    """How one tool is pointed here.

    Shape: `{origin}` is the service's address, `{key}` the key it sends, `{model}` a model of the first route. `form`
    tells what the text is: shell exports, or a file of the tool's own at `file`.
    """

    text: str
    form: Literal["sh", "file"]
    file: str | None = None


CLIENTS: dict[str, ClientSettings] = {
    "claude": ClientSettings(
        "export ANTHROPIC_BASE_URL={origin}\nexport ANTHROPIC_AUTH_TOKEN={key}",
        "sh",
    ),
    "codex": ClientSettings(
        'model = "{model}"\nmodel_provider = "perilune"\n\n[model_providers.perilune]\nname = "Perilune"\n'
        'base_url = "{origin}/v1"\nenv_key = "PERILUNE_GATEWAY_KEY"\nwire_api = "responses"',
        "file",
        "~/.codex/config.toml",
    ),
    "opencode": ClientSettings(
        '{{\n  "$schema": "https://opencode.ai/config.json",\n  "provider": {{\n    "perilune": {{\n'
        '      "npm": "@ai-sdk/openai-compatible",\n      "name": "Perilune",\n'
        '      "options": {{ "baseURL": "{origin}/v1", "apiKey": "{key}" }},\n'
        '      "models": {{ "{model}": {{}} }}\n    }}\n  }},\n  "model": "perilune/{model}"\n}}',
        "file",
        "opencode.json",
    ),
    "kimi": ClientSettings(
        "export KIMI_MODEL_BASE_URL={origin}/v1\nexport KIMI_MODEL_API_KEY={key}\nexport KIMI_MODEL_NAME={model}",
        "sh",
    ),
    "sh": ClientSettings(
        "export OPENAI_BASE_URL={origin}/v1\nexport OPENAI_API_KEY={key}\n"
        "export ANTHROPIC_BASE_URL={origin}\nexport ANTHROPIC_AUTH_TOKEN={key}",
        "sh",
    ),
}


def client_settings(name: str, origin: str, key: str, model: str) -> str:
    """The settings of a tool with the real address filled in. Raises: KeyError for an unknown tool."""
    return CLIENTS[name].text.format(origin=origin, key=key, model=model)
