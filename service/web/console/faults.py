"""Errors as pages, with the statuses of ``service.web.errors``."""

from http import HTTPStatus

from flask import Flask, Response, g, make_response, render_template
from werkzeug.exceptions import HTTPException

from service.core.errors import GreenroomError
from service.ports import EventLog
from service.web.errors import status_of, title_of


def register(app: Flask, log: EventLog) -> None:
    """Answer every error of ``app`` with a page; what is not the reviewer's fault goes to the log."""

    @app.errorhandler(GreenroomError)
    def known(error: GreenroomError) -> Response:
        status = status_of(type(error))
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return unknown(error)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            log.failure("part_unavailable", error, {"code": error.code})
        answer = page(status, title_of(type(error)), str(error))
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    @app.errorhandler(HTTPException)
    def routing(error: HTTPException) -> Response:
        answer = page(error.code or 500, error.name, error.description or error.name)
        for name, value in error.get_headers():
            if name.lower() != "content-type":
                answer.headers.setdefault(name, value)
        return answer

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        log.failure("internal_error", error, {})
        return page(500, "Internal error", "Something went wrong on our side.")


def page(status: int, title: str, sentence: str) -> Response:
    """Return the page that tells of an error."""
    told = {"status": status, "title": title, "sentence": sentence, "request_id": g.get("request_id", "")}
    return make_response(render_template("fault.html", **told), status)
