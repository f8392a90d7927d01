"""How Azure DevOps says no: an exception as JSON, with a type key that clients switch on."""

from __future__ import annotations

_WEBAPI = "Microsoft.VisualStudio.Services.WebApi"
_COMMON = "Microsoft.VisualStudio.Services.Common"
_FRAMEWORK = "Microsoft.TeamFoundation.Framework.Server"
_TASK = "Microsoft.TeamFoundation.DistributedTask.WebApi"
_TYPES = {
    "AccessDeniedException": (
        "Microsoft.TeamFoundation.Build.WebApi",
        "Microsoft.TeamFoundation.Build2.WebApi",
    ),
    "ArgumentNullException": ("System", "mscorlib"),
    "BuildNotFoundException": (
        "Microsoft.TeamFoundation.Build.WebApi",
        "Microsoft.TeamFoundation.Build2.WebApi",
    ),
    "PipelineValidationException": (
        "Microsoft.Azure.Pipelines.WebApi",
        "Microsoft.Azure.Pipelines.WebApi",
    ),
    "OrchestrationSessionNotFoundException": (_TASK, _TASK),
    "ProjectDoesNotExistWithNameException": (
        "Microsoft.TeamFoundation.Core.WebApi",
        "Microsoft.TeamFoundation.Core.WebApi",
    ),
    "RequestBlockedException": (_FRAMEWORK, _FRAMEWORK),
    "TaskLogNotFoundException": (_TASK, _TASK),
    "TaskOrchestrationPlanNotFoundException": (_TASK, _TASK),
    "TaskOrchestrationPlanSecurityException": (_TASK, _TASK),
    "TimelineNotFoundException": (_TASK, _TASK),
    "TimelineRecordInvalidException": (_TASK, _TASK),
    "TimelineRecordNotFoundException": (_TASK, _TASK),
    "UnauthorizedRequestException": (_FRAMEWORK, _FRAMEWORK),
    "VssInvalidPreviewVersionException": (_WEBAPI, _WEBAPI),
    "VssRequestContentTypeNotSupportedException": (_WEBAPI, _WEBAPI),
    "VssVersionNotSpecifiedException": (_WEBAPI, _WEBAPI),
    "VssVersionOutOfRangeException": (_WEBAPI, _WEBAPI),
}


class Refusal(Exception):
    """The service refuses a request, with an HTTP status, a type key and a message."""

    def __init__(self, status: int, key: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.key = key
        self.message = message

    def wire(self) -> dict[str, object]:
        """The error's JSON body, as in the example of a refused variable.

        https://learn.microsoft.com/azure/devops/pipelines/security/inputs
        """
        namespace, assembly = _TYPES.get(self.key, (_COMMON, _COMMON))
        return {
            "$id": "1",
            "innerException": None,
            "message": self.message,
            "typeName": f"{namespace}.{self.key}, {assembly}",
            "typeKey": self.key,
            "errorCode": 0,
            "eventId": 3000,
        }


def invalid(message: str) -> Refusal:
    """400: the pipeline cannot be run as asked."""
    return Refusal(400, "PipelineValidationException", message)


def malformed() -> Refusal:
    """400: the body is not a run request; the service then speaks of its own argument."""
    message = "Value cannot be null.\nParameter name: runParameters"
    return Refusal(400, "ArgumentNullException", message)


def bad_argument(name: str, value: str) -> Refusal:
    """400: a query argument has a value that the service cannot read."""
    return Refusal(
        400, "VssPropertyValidationException", f"The value '{value}' is not valid for {name}."
    )


def unsupported(method: str, given: str | None, *valid: str) -> Refusal:
    """400: the body has a content type that the operation does not take."""
    message = (
        f'The request indicated a Content-Type of "{given or ""}" for method type "{method}" which '
        f"is not supported. Valid content types for this method are: {', '.join(valid)}."
    )
    return Refusal(400, "VssRequestContentTypeNotSupportedException", message)


def broken() -> Refusal:
    """500: what the service says when it runs a pipeline that does not exist."""
    return Refusal(500, "VssServiceException", "TF400898: An Internal Error Occurred.")
