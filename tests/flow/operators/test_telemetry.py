"""RELAY_OTEL=1: what is observed, whoever takes it; and that it changes nothing."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from functions.adapters.telling.telemetry import Telemetry
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.github.hub import DISPATCHES, ROUTES, Hub
from tests.stage.azure import Stage, as_cloud_event, completed

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from local.cloud import Cloud

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Seen:
    """What an observer would have been sent."""

    def __init__(self, stage: Stage) -> None:
        self._spans, self._metrics = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        telemetry = Telemetry(tracers, MeterProvider([self._metrics]))
        stage.ports = telemetry.around(stage.ports)
        stage.build()
        stage.app.relay = telemetry.counted(stage.app.relay)

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._spans.get_finished_spans() if span.name == name]

    def names(self) -> list[str]:
        return [span.name for span in self._spans.get_finished_spans()]

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Attributes and value of each point of a metric."""
        data = self._metrics.get_metrics_data()
        found = [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == f"run_relay.{name}"
            for point in metric.data.data_points
        ]
        return [
            (dict(p.attributes or {}), getattr(p, "value", getattr(p, "sum", None))) for p in found
        ]


@pytest.fixture
def seen(stage: Stage) -> Seen:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    return Seen(stage)


def test_an_end_is_counted_and_the_start_no_second_time(stage: Stage, seen: Seen) -> None:
    stage.deliver(completed("r1"))
    stage.reconcile(seconds=121)
    stage.devops.finish(stage.devops.runs[0].id, "failed")
    stage.reconcile(minutes=2)
    assert seen.points("pipeline_runs") == [({"ended": "failed", "route": "register"}, 1)]
    assert seen.points("continuations") == [({"state": "started", "route": "register"}, 1)]


def test_each_remote_call_is_a_span_and_so_is_the_continuation(stage: Stage, seen: Seen) -> None:
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]
    assert [name for name in seen.names() if not name.startswith("ledger share")] == [
        "ledger claim",
        "azure_machine_learning read",
        "key_vault read",
        "ledger write",
        "azure_devops start",
        "ledger write",
        "continuation",
    ]


def test_the_continuations_span_tells_what_became_of_it(stage: Stage, seen: Seen) -> None:
    stage.deliver(completed("r1"))
    (span,) = seen.spans("continuation")
    c = stage.only("r1")
    assert span.attributes is not None
    assert span.attributes["run_relay.route"] == "register"
    assert span.attributes["run_relay.state"] == "started"
    assert span.attributes["run_relay.pipeline_run"] == c.pipeline_run
    assert span.start_time == pytest.approx(c.created_at.timestamp() * 1e9, abs=1e4)
    assert span.end_time == pytest.approx(c.updated_at.timestamp() * 1e9, abs=1e4)


def test_it_is_linked_to_the_events_sender(stage: Stage, seen: Seen) -> None:
    sender = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    stage.deliver({**as_cloud_event(completed("r1")), **sender})
    (link,) = seen.spans("continuation")[0].links
    assert f"{link.context.trace_id:032x}" == TRACE
    assert f"{link.context.span_id:016x}" == PARENT


@pytest.mark.parametrize("odd", ["", "00-zz-zz-01", f"00-{'0' * 32}-{PARENT}-01", "x" * 10_000, {}])
def test_what_is_no_trace_is_not_linked(stage: Stage, seen: Seen, odd: object) -> None:
    stage.deliver({**as_cloud_event(completed("r1")), "traceparent": odd})
    assert seen.spans("continuation")[0].links == ()


def test_events_and_outcomes_are_counted(stage: Stage, seen: Seen) -> None:
    ended = stage.clock.now() - timedelta(seconds=30)
    stage.deliver({**completed("r1"), "eventTime": ended.isoformat()})
    stage.deliver(completed("r1"))
    assert seen.points("events") == [({}, 2)]
    assert seen.points("continuations") == [({"state": "started", "route": "register"}, 1)]
    ((labels, latency),) = seen.points("start_latency")
    assert labels == {"route": "register"}
    assert 30 <= latency <= ceil((stage.clock.now() - ended).total_seconds())  # in whole seconds


def test_remote_errors_are_counted_by_service(stage: Stage, seen: Seen) -> None:
    stage.devops.server.faults.add(Fault(method="POST", path="*/42/runs", status=503))
    stage.cloud.aml.server.faults.add(Fault(path="*/runs/get", status=404))
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=1)
    assert seen.points("remote_errors") == [
        ({"service": "azure_machine_learning", "reason": "run_not_found"}, 1),
        ({"service": "azure_devops", "reason": "in_doubt"}, 1),
    ]
    failed = [
        s.name for s in seen.spans("azure_devops start") if s.status.status_code is StatusCode.ERROR
    ]
    assert failed == ["azure_devops start"]
    assert ({"state": "parked", "route": "register"}, 2) in seen.points("continuations")


def test_what_github_is_asked_is_told_as_githubs_and_what_azure_devops_is_as_its(
    cloud: Cloud, tmp_path: Path
) -> None:
    hub = Hub(cloud, tmp_path)
    build = """
  - name: build
    match: {experiment: "defect-*"}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
    hub.routes(ROUTES + build)
    hub.deploy()
    seen = Seen(hub)
    hub.hub.server.faults.add(Fault(method="POST", path=DISPATCHES, status=503))
    hub.happen("r1")
    for service in ("github", "azure_devops"):
        (span,) = seen.spans(f"{service} start")
        assert dict(span.attributes or {})["peer.service"] == service
    assert seen.points("remote_errors") == [({"service": "github", "reason": "in_doubt"}, 1)]
    hub.reconcile(minutes=2)
    hub.reconcile(minutes=2)
    assert "github find" in seen.names()
    assert "azure_devops ends" in seen.names()
    told = " ".join(span.to_json() for name in set(seen.names()) for span in seen.spans(name))
    assert hub.cloud.github_token not in told


def test_what_is_open_and_the_days_of_a_secret_are_gauges(stage: Stage, seen: Seen) -> None:
    ends = stage.clock.now() + timedelta(days=12, hours=1)
    stage.cloud.vault.put("azure-devops-pat", stage.cloud.pat, expires=ends)
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=9))
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=1)
    stage.app.sweep.sweep()
    assert seen.points("open") == [({}, 1)]
    assert seen.points("credential_days") == [({"secret": "azure-devops-pat"}, 12)]


def test_no_secret_is_in_what_is_observed(stage: Stage, seen: Seen) -> None:
    stage.devops.refuse(stage.cloud.pat)
    stage.deliver(completed("r1"))
    told = " ".join(span.to_json() for name in set(seen.names()) for span in seen.spans(name))
    assert stage.cloud.pat not in told
    assert "Basic" not in told
