"""Mattermost's errors: the id is what clients match on, the message is for people."""

from typing import Any


class ApiError(Exception):
    """An `AppError` of Mattermost (server/public/model/utils.go)."""

    def __init__(self, error_id: str, status: int, message: str = "") -> None:
        super().__init__(error_id)
        self.id = error_id
        self.status = status
        self.message = message or error_id

    def to_json(self, request_id: str = "") -> dict[str, Any]:
        """Return the body of the answer; `detailed_error` is blank as outside developer mode."""
        return {
            "id": self.id,
            "message": self.message,
            "detailed_error": "",
            "request_id": request_id,
            "status_code": self.status,
        }


def invalid_param(name: str) -> ApiError:
    """Return the error for a value in the body that cannot be used."""
    return ApiError(
        "api.context.invalid_body_param.app_error", 400, f"Invalid or missing {name} in request body."
    )


def invalid_url_param(name: str) -> ApiError:
    """Return the error for a value in the path or query that cannot be used."""
    return ApiError(
        "api.context.invalid_url_param.app_error", 400, f"Invalid or missing {name} parameter in request URL."
    )


def forbidden() -> ApiError:
    """Return the error for a missing permission."""
    return ApiError("api.context.permissions.app_error", 403, "You do not have the appropriate permissions.")


def session_expired() -> ApiError:
    """Return the error for no token or one that is not good."""
    return ApiError(
        "api.context.session_expired.app_error", 401, "Invalid or expired session, please login again."
    )
