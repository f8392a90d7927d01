"""Telemetry without a token: it is kept for later, and nothing is raised."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter
from flask import Flask
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from functions.adapters.telling.telemetry import signed_in
from functions.connections import managed_identity
from local.serving.faults import Fault
from local.serving.web import Server
from tests.stage.azure import MovableClock
from tests.stage.identities import all_answered, odd

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

INSIGHTS = (
    "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://127.0.0.1:9"
)


@pytest.mark.parametrize("name", ["plain-500", "list", "end-infinite"])
def test_what_could_not_be_sent_without_a_token_is_kept(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    odd(cloud.identity, name)
    spans, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    with tracers.get_tracer("test").start_as_current_span("one"):
        pass
    exporter = AzureMonitorTraceExporter(
        connection_string=INSIGHTS,
        credential=managed_identity(None),
        storage_directory=str(tmp_path),
    )
    assert exporter.export(spans.get_finished_spans()) is SpanExportResult.FAILURE
    exporter.shutdown()
    assert [file for _, _, files in os.walk(tmp_path) for file in files]


def test_a_token_that_is_refused_to_the_exporter_is_renewed(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    clock = MovableClock()
    spans, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    with tracers.get_tracer("test").start_as_current_span("one"):
        pass
    with Server(Flask("insights"), tls=cloud.tls) as insights:
        refused = Fault(status=401, times=9)
        insights.faults.add(refused)
        exporter = AzureMonitorTraceExporter(
            **signed_in(managed_identity(None, clock)),
            connection_string=INSIGHTS.replace("https://127.0.0.1:9", insights.url),
            storage_directory=str(tmp_path),
        )
        exporter.export(spans.get_finished_spans())
        clock.forward(minutes=2)
        exporter.export(spans.get_finished_spans())
        all_answered()
        exporter.shutdown()
    assert refused.times == 7
    assert len(cloud.identity.server.requests) == 2
