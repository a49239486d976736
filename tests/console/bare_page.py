"""A page of one upload that shows nothing but what is decided about it, for the console of these tests."""

from __future__ import annotations

from flask import Flask, render_template_string
from flask.typing import ResponseReturnValue

from service.core.reviewer import Role
from service.stages.desk import Desk
from service.web.console.entrance import Entrance

_PAGE = """
{% extends "frame.html" %}
{% from "marks.html" import badge %}
{% block title %}{{ upload.name }}{% endblock %}
{% block main %}
<div class="head"><h1>{{ upload.name }}</h1>{{ badge(upload.state.value) }}</div>
{% include "decisions.html" %}
{% endblock %}
"""


def add(app: Flask, desk: Desk) -> None:
    """Serve it at `/uploads/<id>`."""

    @app.get("/uploads/<upload_id>")
    @Entrance(desk, "").requires(Role.READER)
    def upload_page(upload_id: str) -> ResponseReturnValue:
        upload = desk.parts.ledger.find(upload_id)
        assert upload
        return render_template_string(_PAGE, upload=upload)
