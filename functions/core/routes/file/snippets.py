"""Whole routes that an editor offers below `routes:`, for people to fill in.

They are `defaultSnippets` of the JSON Schema: `label` and `description` are shown, `body` becomes
YAML. yaml-language-server writes each text of it as it stands, so that what YAML would read
otherwise has its own quotes, and `${1:name}` is where the cursor goes next.
https://code.visualstudio.com/docs/languages/json#_define-snippets-in-json-schemas
https://github.com/redhat-developer/yaml-language-server/blob/main/src/languageservice/jsonSchema.ts
"""

from __future__ import annotations

from typing import Any, Final

_RUN = '"{{ run.id }}"'

SNIPPETS: Final[list[dict[str, Any]]] = [
    {
        "label": "route: start a pipeline after a good run",
        "description": "runs of an experiment whose gate holds are followed by a pipeline",
        "body": {
            "name": "${1:register-model}",
            "match": {"experiment": '"${2:defect-*}"'},
            "when": '"${3:run.metrics.accuracy >= 0.9}"',
            "start": {
                "pipeline": "${4:42}",
                "parameters": {
                    "run_id": _RUN,
                    "model_name": '"{{ model.name }}"',
                    "model_version": '"{{ model.version }}"',
                },
            },
        },
    },
    {
        "label": "route: start a workflow of GitHub Actions",
        "description": "a workflow follows runs of an experiment; its run-name shows relay_id",
        "body": {
            "name": "${1:deploy}",
            "match": {"experiment": '"${2:defect-*}"'},
            "start": {
                "github": "${3:contoso/mlops}",
                "workflow": "${4:deploy.yml}",
                "ref": "${5:main}",
                "inputs": {"run_id": _RUN},
                "correlation": "${6:relay_id}",
            },
        },
    },
    {
        "label": "route: report a run that failed",
        "description": "runs that failed, were canceled or did not respond start a pipeline",
        "body": {
            "name": "${1:report-failure}",
            "outcome": ["Failed", "Canceled", "NotResponding"],
            "match": {"experiment": '"${2:defect-*}"'},
            "start": {
                "pipeline": "${3:43}",
                "parameters": {"run_id": _RUN, "status": '"{{ run.status }}"'},
            },
        },
    },
    {
        "label": "route: start only what beats the champion",
        "description": "the metric is compared with that of the version that has an alias",
        "body": {
            "name": "${1:deploy-challenger}",
            "match": {"experiment": '"${2:defect-*}"'},
            "champion": {"alias": "${3:champion}"},
            "when": (
                '"!champion.exists || run.metrics.${4:accuracy} > champion.metrics.${4:accuracy}"'
            ),
            "start": {"pipeline": "${5:44}", "parameters": {"run_id": _RUN}},
        },
    },
    {
        "label": "route: one pipeline after the other",
        "description": "a second pipeline starts once the first one has succeeded",
        "body": {
            "name": "${1:register-and-deploy}",
            "match": {"experiment": '"${2:defect-*}"'},
            "start": {"pipeline": "${3:42}", "parameters": {"run_id": _RUN}},
            "then": {
                "succeeded": {
                    "start": {
                        "pipeline": "${4:44}",
                        "parameters": {"run_id": _RUN, "after": '"{{ pipeline.run }}"'},
                    },
                },
            },
        },
    },
    {
        "label": "route: after a model was registered",
        "description": "a registered model version starts a pipeline, whoever registered it",
        "body": {
            "name": "${1:test-model}",
            "event": "ModelRegistered",
            "start": {
                "pipeline": "${2:45}",
                "parameters": {
                    "model_name": '"{{ model.name }}"',
                    "model_version": '"{{ model.version }}"',
                },
            },
        },
    },
    {
        "label": "route: after a model was promoted",
        "description": "a version that gets an alias starts a pipeline, found by the sweep",
        "body": {
            "name": "${1:promote-model}",
            "event": "ModelPromoted",
            "promoted": {"alias": "${2:production}"},
            "start": {
                "pipeline": "${3:44}",
                "correlation": "${4:relay_id}",
                "parameters": {
                    "model_name": '"{{ model.name }}"',
                    "model_version": '"{{ model.version }}"',
                },
            },
        },
    },
]
