"""How the console says times, ages and sizes, the same on every page: as filters of its templates."""

from datetime import datetime, timedelta
from typing import Final

from flask import Flask
from markupsafe import Markup

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024


def register(app: Flask) -> None:
    """Give the filters to ``app``: ``when``, ``age``, ``seconds`` and ``size``."""
    app.jinja_env.filters.update(when=when, age=age, seconds=seconds, size=size)


def when(moment: datetime | None) -> Markup:
    """Return a moment in UTC to the second, which is told once on each page; a dash for none."""
    if moment is None:
        return Markup("&ndash;")
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(), moment.strftime("%Y-%m-%d %H:%M:%S")
    )


def age(length: timedelta) -> str:
    """Return a length of time in its two largest units."""
    seconds = max(0, int(length.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def seconds(number: float) -> str:
    """Return a length of time that is a number of seconds, as ``age`` does."""
    return age(timedelta(seconds=number))


def size(count: int | None) -> str:
    """Return a number of bytes in the unit that fits; a dash for none."""
    if count is None:
        return "\N{EN DASH}"
    amount, unit = float(count), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{count} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
