"""OpenTelemetry: spans for remote calls and continuations, and metrics. Loaded only if wanted.

All of it goes through the API; `export` connects it to Application Insights. The app's log lines
are not exported here: the Functions host has them already, and nothing is to be sent twice.
https://learn.microsoft.com/azure/azure-functions/opentelemetry-howto
https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-configuration
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from functions.core.kept.summary import Summary
from functions.core.terms.errors import InDoubt, LedgerUnavailable, Permanent, Retryable
from functions.core.terms.pipelines import is_github

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from azure.core.credentials import TokenCredential

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Level, Ports
    from functions.core.starts.handling import Relay

NAME = "run_relay"
DEVOPS, GITHUB = "azure_devops", "github"
SERVICES = {
    "ledger": "ledger",
    "runs": "azure_machine_learning",
    "credentials": "key_vault",
    "pipelines": DEVOPS,
    "tasks": DEVOPS,
    "seal": "key_vault",
    "messenger": "channels",
}
_FAILURES = (InDoubt, LedgerUnavailable, Permanent, Retryable)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def export(connection_string: str, identity: TokenCredential | None) -> None:
    """Send spans and metrics to Application Insights, all of them, signed in if an identity is."""
    from azure.monitor.opentelemetry import configure_azure_monitor  # noqa: PLC0415 - a second

    configure_azure_monitor(
        **signed_in(identity),
        connection_string=connection_string,
        disable_logging=True,
        enable_live_metrics=False,
        enable_performance_counters=False,
        sampling_ratio=1.0,
    )


def signed_in(identity: TokenCredential | None) -> dict[str, Any]:
    """The options by which an exporter signs in, and tells of a token that was refused."""
    if identity is None:
        return {}
    from functions.adapters.entra_tokens import refusals  # noqa: PLC0415 - where it is wanted

    return {"credential": identity, "raw_response_hook": refusals(identity)}


class Telemetry:
    """Puts itself around what is to be observed."""

    def __init__(
        self,
        tracers: trace.TracerProvider | None = None,
        meters: metrics.MeterProvider | None = None,
    ) -> None:
        meter = metrics.get_meter(NAME, meter_provider=meters)
        self.tracer = trace.get_tracer(NAME, tracer_provider=tracers)
        self.received = meter.create_counter("run_relay.events", description="events received")
        self.continuations = meter.create_counter(
            "run_relay.continuations", description="continuations by state and route"
        )
        self.ended = meter.create_counter("run_relay.pipeline_runs", description="by their end")
        self.latency = meter.create_histogram(
            "run_relay.start_latency", "s", "from the run's end to its pipeline's start"
        )
        self.errors = meter.create_counter("run_relay.remote_errors", description="by service")
        self.open = meter.create_gauge("run_relay.open", description="continuations that are open")
        self.days = meter.create_gauge("run_relay.credential_days", "d", "until each expires")

    def around(self, ports: Ports) -> Ports:
        """The same ports, observed."""
        traced = {
            name: _Traced(getattr(ports, name), service, self) for name, service in SERVICES.items()
        }
        journal = _MeteredJournal(ports.journal, self)
        outcomes = _ObservedOutcomes(ports.outcomes, self)
        return ports._replace(**traced, journal=journal, outcomes=outcomes)

    def counted(self, relay: Relay) -> Relay:
        """The same relay; what it is handed is counted."""
        return _Counted(relay, self)  # type: ignore[return-value]


class _Proxy:
    """Hands on what it does not do itself."""

    def __init__(self, real: Any, telemetry: Telemetry) -> None:  # noqa: ANN401 - any port
        self._real = real
        self._telemetry = telemetry

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any port
        return getattr(self._real, name)


class _Counted(_Proxy):
    def deliver(self, payload: object) -> None:
        self._telemetry.received.add(1)
        self._real.deliver(payload)


class _Traced(_Proxy):
    """A port whose every call is a span, and whose failures are counted."""

    def __init__(self, real: Any, service: str, telemetry: Telemetry) -> None:  # noqa: ANN401 - any port
        super().__init__(real, telemetry)
        self._service = service

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any port
        found = getattr(self._real, name)
        if not callable(found) or name in {"begin", "drop"}:  # a span waits for what these begin
            return found

        def traced(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - any call
            service = self._asked(*given[:1])
            span = self._telemetry.tracer.start_as_current_span(
                f"{service} {name}",
                kind=SpanKind.CLIENT,
                attributes={"peer.service": service},
                record_exception=False,
                set_status_on_exception=False,
            )
            with span as current:
                try:
                    return found(*given, **named)
                except _FAILURES as error:
                    current.set_status(Status(StatusCode.ERROR, type(error).__name__))
                    reason = str(getattr(error, "reason", "unavailable"))
                    self._telemetry.errors.add(1, {"service": service, "reason": reason})
                    raise

        self.__dict__[name] = traced
        return traced

    def _asked(self, what: object = None) -> str:
        """The service that a call about this goes to: pipelines are those of two."""
        is_theirs = self._service == DEVOPS and is_github(getattr(what, "organization", ""))
        return GITHUB if is_theirs else self._service


class _MeteredJournal(_Proxy):
    """The log, whose lines on what is open and on secrets become gauges too."""

    def write(self, level: Level, fields: Mapping[str, object]) -> None:
        if isinstance(count := fields.get("open"), int) and "reconciler" in fields:
            self._telemetry.open.set(count)
        if isinstance(days := fields.get("days"), int) and "credential" in fields:
            self._telemetry.days.set(days, {"secret": str(fields.get("secret"))})
        self._real.write(level, fields)


class _ObservedOutcomes(_Proxy):
    """What becomes of continuations: counted when it is told, and a span at the end of each."""

    def note(self, c: Continuation) -> None:
        if c.ended:
            self._telemetry.ended.add(1, {"ended": str(c.ended.how), "route": c.key.route})
        else:
            self._count(c)
        self._real.note(c)

    def _count(self, c: Continuation) -> None:
        self._telemetry.continuations.add(1, {"state": c.told_as, "route": c.key.route})
        if (latency := Summary.of(c).latency) is not None:
            self._telemetry.latency.record(round(latency), {"route": c.key.route})
        if not c.is_open:
            self._span(c)

    def _span(self, c: Continuation) -> None:
        """From the claim to the end, linked to whoever sent the event."""
        attributes: dict[str, str | int] = {
            "run_relay.route": c.key.route,
            "run_relay.run": c.key.run,
            "run_relay.state": str(c.state),
            "run_relay.reason": str(c.reason),
            "run_relay.attempts": c.attempts,
        }
        if c.pipeline_run is not None:
            attributes["run_relay.pipeline_run"] = c.pipeline_run
        span = self._telemetry.tracer.start_span(
            "continuation",
            attributes=attributes,
            links=_links(c.event.trace),
            start_time=_nanoseconds(c.created_at),
        )
        span.end(_nanoseconds(c.updated_at))


def _links(traceparent: str) -> list[Link]:
    """https://www.w3.org/TR/trace-context/#traceparent-header."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if not found:
        return []
    of, span, flags = (int(part, 16) for part in found.groups())
    context = SpanContext(of, span, is_remote=True, trace_flags=TraceFlags(flags))
    return [Link(context)] if context.is_valid else []


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e9)
