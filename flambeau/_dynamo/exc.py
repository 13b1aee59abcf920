"""Errors of PyTorch's compiler, for `except` clauses; nothing here raises them."""
from __future__ import annotations


class TorchDynamoException(RuntimeError):
    pass


class InternalTorchDynamoError(TorchDynamoException):
    pass


class BackendCompilerFailed(TorchDynamoException):
    pass


class RecompileError(TorchDynamoException):
    pass


class ResetRequired(TorchDynamoException):
    pass


class RestartAnalysis(TorchDynamoException):
    pass


class TensorifyScalarRestartAnalysis(RestartAnalysis):
    pass


class Unsupported(TorchDynamoException):
    pass


class UncapturedHigherOrderOpError(TorchDynamoException):
    pass


class UserError(Unsupported):
    pass


class UserErrorType:
    """Kinds of UserError."""

    DYNAMIC_CONTROL_FLOW = "dynamic_control_flow"
    INVALID_INPUT = "invalid_input"
    STANDARD_LIBRARY = "standard_library"
