ITEMS = [
    {"name": "Kettle", "cents": 3900},
    {"name": "Teapot", "cents": 2450},
]
