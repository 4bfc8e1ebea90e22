"""The workbench: what commands ask for, built when first needed."""

import os
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import tzinfo

    from perilune.catalog.load import Catalogue
    from perilune.catalog.plan import Plan
    from perilune.compose.monitoring import Monitoring
    from perilune.compose.pull_reviews import PullUnderReview
    from perilune.config.load import Loaded
    from perilune.config.paths import Paths
    from perilune.config.schema import DisplayConfig
    from perilune.core.errors import Problem
    from perilune.core.messages import Language, Voice
    from perilune.core.secret import Secret
    from perilune.faces.api.ports import RoutesDocument
    from perilune.faces.cli.gateway import TriedSlot, Try
    from perilune.faces.cli.gateway_keys import ListedKey
    from perilune.faces.cli.up import ReadyFacts, UpOptions
    from perilune.faces.text.look import GatewayGlance
    from perilune.gateway.keys import KeySettings
    from perilune.gateway.preview import Preview
    from perilune.gateway.trial import Trial
    from perilune.monitor.notify.port import Receipt
    from perilune.net.control import ControlClient
    from perilune.providers.contract.probing import Probed
    from perilune.quota.history import By, HistoryDocument
    from perilune.quota.stamp import Stamp
    from perilune.review.run import ReviewServices
    from perilune.store.deliveries import ChannelState
    from perilune.store.engine import Store
    from perilune.vault.vault import Vault


class Workbench:
    """Hands commands their services. Nothing is imported, opened or started before it is asked for."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment: Mapping[str, str] = os.environ if environment is None else environment

    def in_language(self, language: "Language") -> "Workbench":
        """The same, for a reader who asked for a language on the command line."""
        return Workbench({**self.environment, "PERILUNE_LANG": language})

    def now(self) -> datetime:
        """This moment."""
        return datetime.now(UTC)

    @cached_property
    def paths(self) -> "Paths":
        """The folders and files of this user."""
        from perilune.config.paths import find_paths

        return find_paths(self.environment)

    @cached_property
    def plans(self) -> "Mapping[str, Plan]":
        """Every plan by id."""
        from perilune.providers.contract.registry import providers

        return {name: provider.plan for name, provider in providers().items()}

    @cached_property
    def catalogue(self) -> "Catalogue":
        """The models and prices, with what providers and the user add."""
        from perilune.compose.accounts import catalogue_of

        return catalogue_of(self)

    def configuration(self, flags: Mapping[str, Any] | None = None) -> "Loaded":
        """The configuration of this run: file, environment and implied accounts, checked, with where each came from."""
        from perilune.config.complete import complete
        from perilune.config.load import load

        loaded = load(self.paths.config_file, self.environment, flags)
        return complete(loaded, self.environment, self.plans)

    @cached_property
    def vault(self) -> "Vault":
        """The secrets of this user."""
        from perilune.vault.vault import Vault

        return Vault(self.paths.vault_folder, self.environment)

    def control_client(self) -> "ControlClient":
        """A client for the free calls that read accounts; the caller closes it."""
        from perilune.net.control import ControlClient
        from perilune.net.upstream_map import parse_upstream

        return ControlClient(upstream=parse_upstream(self.environment.get("PERILUNE_UPSTREAM")))

    def keep_reading(self, account: str, secret: "Secret", probed: "Probed") -> None:
        """Keep what a host just said to a key as the account's last reading, good or bad.

        A store that cannot be written is no reason to fail: the account is read again when its status is asked for.
        """
        from perilune.core.errors import StoreError

        try:
            with closing(self.monitoring_now()) as monitoring:
                monitoring.keep(account, secret, probed)
                if probed.verdict == "accepted":
                    from perilune.compose.stamping import stamp_read

                    stamp_read(self, monitoring.store, account, secret, probed.host)
        except StoreError as error:
            import logging

            logging.getLogger(__name__).warning("the reading of %s is not kept: %s", account, error.problem.code)

    def account_renamed(self, name: str, new: str) -> None:
        """Move everything that the store holds of an account, history too, to another name."""
        from perilune.store import states

        with closing(self.monitoring_now()) as monitoring:
            if monitoring.has_store:
                from perilune.compose.stamping import rename_stamp

                monitoring.snapshots.rename(name, new)
                rename_stamp(monitoring.store, name, new, self.now())
                with monitoring.store.begin() as connection:
                    states.rename(connection, name, new)

    def account_removed(self, name: str, *, with_history: bool) -> None:
        """Drop what the store knows now of an account, and its history where that is wanted."""
        with closing(self.monitoring_now()) as monitoring:
            if monitoring.has_store:
                from perilune.compose.stamping import forget_stamp

                monitoring.snapshots.forget(name)
                forget_stamp(monitoring.store, name)
            if monitoring.has_store and with_history:
                monitoring.snapshots.purge(name)

    @cached_property
    def monitoring(self) -> "Monitoring":
        """The accounts as the monitor and the status see them."""
        return self.monitoring_now()

    def monitoring_now(self, store: "Store | None" = None) -> "Monitoring":
        """The same over the configuration as it is now, and over a store that is open already."""
        return self.monitoring_of(self.configuration(), store)

    def monitoring_of(self, loaded: "Loaded", store: "Store | None" = None) -> "Monitoring":
        """The same over any configuration."""
        from perilune.compose.monitoring import Monitoring

        return Monitoring(loaded, self.paths, self.plans, lambda: self.vault, self.environment, self.now, store)

    def history(self, since: datetime, by: "By", zone: "tzinfo", *, with_cycles: bool) -> "HistoryDocument":
        """What the store recorded since a moment."""
        from perilune.compose.histories import history_of

        with closing(self.monitoring_now()) as monitoring:
            return history_of(monitoring, self, since, by, zone, with_cycles=with_cycles)

    def up(self, options: "UpOptions", ready: "Callable[[ReadyFacts], None]", before: "Callable[[str], None]") -> int:
        """Run the service until it is stopped."""
        from perilune.compose.serving import up

        return up(self, options, ready, before)

    def routes_now(self, language: "Language" = "en") -> "tuple[RoutesDocument, bool]":
        """The gateway's routes as they stand, and whether a running service told so."""
        from perilune.compose.asking import routes_now

        return routes_now(self, language)

    def dry_run(self, model: str, priority: str = "interactive") -> "Sequence[TriedSlot]":
        """Which slots would be used now for a model; nothing is sent."""
        from perilune.compose.asking import dry_run

        return dry_run(self, model, priority)

    def preview_model(self, model: str) -> "Sequence[Preview]":
        """What each slot of a model's route would be sent; nothing is."""
        from perilune.compose.looking import preview_model

        return preview_model(self, model)

    def lint_routes(self, name: str | None = None) -> "Sequence[Problem]":
        """What is odd about the slots of one route, or of all."""
        from perilune.compose.looking import lint_routes

        return lint_routes(self, name)

    def try_model(self, model: str, voice: "Voice") -> "Try":
        """One small real request through the routes."""
        from perilune.compose.asking import try_model

        return try_model(self, model, voice)

    def gateway_glance(self) -> "GatewayGlance | None":
        """The running gateway in one line; None where no service runs."""
        from perilune.compose.lines import serving_process

        if serving_process(self.paths, self.now()) is None:
            return None
        from perilune.compose.glance import gateway_glance

        return gateway_glance(self)

    def metrics(self) -> bytes:
        """One exposition: of the running service, else of what the store holds."""
        from perilune.compose.metering import metrics_now

        return metrics_now(self)

    def try_inference(self, account: str, voice: "Voice") -> "Trial":
        """One tiny real request over one account."""
        from perilune.compose.trying import try_inference

        return try_inference(self, account, voice)

    def stamp_of(self, account: str) -> "Stamp | None":
        """By what an account's key was shown to work."""
        from perilune.compose.stamping import stamp_of

        return stamp_of(self, account)

    def route_names(self) -> "Sequence[str]":
        """The routes that there are."""
        from perilune.compose.gateway_keys import slots_by_route

        return list(slots_by_route(self.configuration().config))

    def team_problem(self, name: str, routes: "Sequence[str] | None") -> "Problem | None":
        """What speaks against a key for somebody else on these routes."""
        from perilune.compose.gateway_keys import team_problem

        return team_problem(self, name, routes)

    def create_key(self, name: str, settings: "KeySettings") -> "Secret":
        """A new gateway key."""
        from perilune.compose.gateway_keys import create_key

        return create_key(self, name, settings)

    def gateway_keys(self) -> "Sequence[ListedKey]":
        """Every gateway key, oldest first."""
        from perilune.compose.gateway_keys import listed_keys

        return listed_keys(self)

    def change_key(self, name: str, changes: "Mapping[str, Any]") -> None:
        """Give a gateway key other settings. Raises: PL-USAGE."""
        from perilune.compose.gateway_keys import change_key

        change_key(self, name, changes)

    def revoke_key(self, name: str, *, ends_streams: bool) -> None:
        """End a gateway key for good."""
        from perilune.compose.gateway_keys import revoke_key

        revoke_key(self, name, ends_streams=ends_streams)

    def channel_states(self) -> "Mapping[str, ChannelState]":
        """How the notification channels have been doing."""
        from perilune.compose.notifying import channel_states

        return channel_states(self)

    def muted_until(self) -> "datetime | None":
        """Until when notifications are held back."""
        from perilune.compose.notifying import muted_until

        return muted_until(self)

    def mute(self, until: "datetime | None") -> None:
        """Hold notifications back."""
        from perilune.compose.notifying import mute

        mute(self, until)

    def forget_channel(self, name: str) -> None:
        """Drop what the store holds for a notification channel."""
        from perilune.compose.notifying import forget_channel

        forget_channel(self, name)

    def test_channel(self, name: str, voice: "Voice") -> "Receipt":
        """Send a marked message to a channel now."""
        from perilune.compose.notifying import test_channel

        return test_channel(self, name, voice)

    def review_services(self, *, preview: bool) -> "AbstractAsyncContextManager[ReviewServices]":
        """What a review works with."""
        if preview:
            from perilune.compose.previewing import previewing

            return previewing(self)
        from perilune.compose.reviewing import reviewing

        return reviewing(self)

    def pull_review(self, url: str) -> "AbstractAsyncContextManager[PullUnderReview]":
        """A pull request ready to be reviewed, and the way back to its forge."""
        from perilune.compose.pull_reviews import pull_under_review

        return pull_under_review(self, url)

    def display(self) -> "DisplayConfig":
        """How figures are shown; the defaults where the configuration cannot be read, which is said elsewhere."""
        from perilune.config.schema import DisplayConfig
        from perilune.core.errors import ConfigError

        if not self.paths.config_file.exists() and not any(
            name.startswith("PERILUNE_DISPLAY_") for name in self.environment
        ):
            return DisplayConfig()
        from perilune.config.load import load

        try:
            return load(self.paths.config_file, self.environment).config.display
        except ConfigError:
            return DisplayConfig()
