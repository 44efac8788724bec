"""The shop's API: what is for sale, and the page that shows it."""

import os

from flask import Flask

from catalog import ITEMS

app = Flask(__name__, static_url_path="")


@app.get("/")
def page():
    return app.send_static_file("index.html")


@app.get("/items")
def items():
    return ITEMS


@app.get("/health")
def health():
    return {"commit": os.environ.get("GIT_COMMIT", "unknown")}
