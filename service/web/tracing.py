"""Requests as spans, in the traces of those who sent them."""

from contextlib import ExitStack

from flask import Flask, Response, g, request

from service.ports import Side, Traces

_HEADER = "traceparent"


def register(app: Flask, traces: Traces) -> None:
    """Let each request of ``app`` that brings a trace, or may begin an upload, be a span of its own."""

    @app.before_request
    def begin() -> None:
        untrusted_parent = request.headers.get(_HEADER)
        if untrusted_parent is None and request.method != "POST":
            return
        notes = {"http.request.method": request.method}
        if request.url_rule is not None:
            notes["http.route"] = request.url_rule.rule
        name = " ".join(notes.values())
        g.until_answered = ExitStack()
        g.span = g.until_answered.enter_context(traces.span(name, untrusted_parent, Side.SERVER, notes))

    @app.after_request
    def answered(response: Response) -> Response:
        if "span" in g:
            g.span.note("http.response.status_code", response.status_code)
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        if "until_answered" in g:
            g.until_answered.close()
