"""Draw believable rooms: the photos of tests that need many, of any size, without a data set.

A room is seen straight on: walls, floor and ceiling in perspective, a window that lights them, some
furniture, pictures, boards in the floor, a little texture and sensor noise. Everything that varies
comes from the seed, so a seed is a room, and its look hardly depends on the size it is drawn at.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
_Canvas = NDArray[np.float32]
_Colour = tuple[float, float, float]

_SUBPIXEL_BITS = 4
_LIGHT = np.linspace(0, 1, 1 << 14)
_SRGB = np.rint(
    255 * np.where(_LIGHT <= 0.0031308, 12.92 * _LIGHT, 1.055 * _LIGHT ** (1 / 2.4) - 0.055)
).astype(np.uint8)


def draw_room(seed: int, width: int, height: int) -> Picture:
    """Draw room number `seed` as (H, W, 3) uint8 sRGB."""
    rng = np.random.default_rng(seed)
    room = _Room(rng, width, height)
    room.draw_shell()
    room.draw_window()
    room.draw_furniture()
    return room.develop()


class _Room:
    """A canvas of linear light in 0…1 and the corners of the back wall, in fractions of it."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        self.rng = rng
        self.canvas: _Canvas = np.zeros((height, width, 3), np.float32)
        self.sun = 0.5  # where the window's middle stands
        self.left, self.right = rng.uniform(0.14, 0.26), rng.uniform(0.74, 0.88)
        self.top, self.floor = rng.uniform(0.10, 0.20), rng.uniform(0.62, 0.72)

    def draw_shell(self) -> None:
        rng, left, right, top, floor = self.rng, self.left, self.right, self.top, self.floor
        wall = _pale(rng, 0.45, 0.75)
        boards = _mix((0.30, 0.17, 0.09), (0.45, 0.36, 0.26), rng.uniform())
        self.fill([(0, 0), (1, 0), (right, top), (left, top)], (0.80, 0.79, 0.76))
        self.fill([(0, 1), (1, 1), (right, floor), (left, floor)], boards)
        self.fill([(0, 0), (left, top), (left, floor), (0, 1)], _scale(wall, 0.72))
        self.fill([(1, 0), (right, top), (right, floor), (1, 1)], _scale(wall, 0.84))
        self.fill([(left, top), (right, top), (right, floor), (left, floor)], wall)
        for share in np.linspace(0, 1, 15)[1:-1]:  # joints between the boards
            near, far = float(share), left + (right - left) * float(share)
            joint = [(far - 0.001, floor), (far + 0.001, floor), (near + 0.003, 1), (near, 1)]
            self.fill(joint, _scale(boards, 0.6))
        skirting = [(left, floor - 0.02), (right, floor - 0.02), (right, floor), (left, floor)]
        self.fill(skirting, (0.78, 0.77, 0.74))

    def draw_window(self) -> None:
        """A window onto the sky, with frame and light around it."""
        rng = self.rng
        wide, tall = rng.uniform(0.14, 0.22), rng.uniform(0.22, 0.30)
        x, y = rng.uniform(self.left + 0.03, self.right - wide - 0.03), self.top + 0.06
        self.sun = x + wide / 2
        self.box(x - 0.012, y - 0.016, x + wide + 0.012, y + tall + 0.016, (0.85, 0.85, 0.83))
        sky, haze = (0.45, 0.66, 0.95), (0.92, 0.94, 0.96)
        for share in np.linspace(0, 0.75, 16):
            edge = y + tall * float(share)
            self.box(x, edge, x + wide, y + tall, _mix(sky, haze, float(share)))
        self.box(x, y + 0.8 * tall, x + wide, y + tall, (0.16, 0.26, 0.10))  # trees
        self.box(x + wide / 2 - 0.005, y, x + wide / 2 + 0.005, y + tall, (0.85, 0.85, 0.83))
        self.shine((self.sun, y + tall / 2), rng.uniform(0.35, 0.6))

    def draw_furniture(self) -> None:
        rng = self.rng
        fabric = _vivid(rng)
        x, wide, seat = rng.uniform(0.10, 0.40), rng.uniform(0.30, 0.42), self.floor + 0.03
        self.box(
            x + 0.01, seat + 0.155, x + wide + 0.02, seat + 0.185, (0.05, 0.04, 0.03)
        )  # shadow
        self.box(x, seat - 0.10, x + wide, seat + 0.06, fabric)
        self.box(x - 0.02, seat + 0.04, x + wide + 0.02, seat + 0.16, _scale(fabric, 0.75))
        for share in (0.08, 0.55):
            cushion = x + wide * share
            self.box(cushion, seat - 0.05, cushion + 0.10, seat + 0.05, _vivid(rng))
        middle = (self.left + self.right) / 2
        hung = self.left + 0.03 if self.sun > middle else self.right - 0.13
        low = self.floor - 0.20
        self.box(hung, low - 0.13, hung + 0.10, low, (0.06, 0.05, 0.05))  # a picture in its frame
        self.box(hung + 0.01, low - 0.118, hung + 0.09, low - 0.012, _vivid(rng))
        table = rng.uniform(0.62, 0.78)
        wood = _mix((0.20, 0.10, 0.05), (0.42, 0.28, 0.16), rng.uniform())
        for leg in (table + 0.01, table + 0.15):
            self.box(leg, self.floor + 0.10, leg + 0.012, self.floor + 0.25, _scale(wood, 0.6))
        self.box(table, self.floor + 0.08, table + 0.17, self.floor + 0.11, wood)
        self.box(table + 0.07, self.floor + 0.01, table + 0.10, self.floor + 0.08, _vivid(rng))

    def fill(self, corners: list[tuple[float, float]], colour: _Colour) -> None:
        height, width = self.canvas.shape[:2]
        points = np.array(corners) * (width, height)
        x, y = np.clip(np.floor(points.min(axis=0)).astype(int) - 1, 0, (width, height))
        x_end, y_end = np.clip(np.ceil(points.max(axis=0)).astype(int) + 2, 0, (width, height))
        if x == x_end or y == y_end:
            return
        # OpenCV smooths edges on 8 bits only: the shape is drawn as a mask and blended in.
        mask = np.zeros((y_end - y, x_end - x), np.uint8)
        whole = ((points - (x, y)) * (1 << _SUBPIXEL_BITS)).round().astype(np.int32)
        cv2.fillConvexPoly(mask, whole, 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        area = self.canvas[y:y_end, x:x_end]
        area += mask[:, :, None] * np.float32(1 / 255) * (np.array(colour, np.float32) - area)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: _Colour) -> None:
        self.fill([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def shine(self, source: tuple[float, float], depth: float) -> None:
        """Light falls off with the distance from its source, down to 1 - depth."""
        height, width = self.canvas.shape[:2]
        y, x = np.ogrid[:height, :width]
        distance = np.hypot(x / width - source[0], y / height - source[1]).astype(np.float32)
        self.canvas *= (1 - depth * np.clip(distance, 0, 1))[:, :, None]

    def develop(self) -> Picture:
        """Texture, sensor noise, the curve of sRGB."""
        height, width = self.canvas.shape[:2]
        coarse = self.rng.normal(1, 0.02, (48, 64, 1)).astype(np.float32)
        texture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        noise = self.rng.standard_normal(self.canvas.shape, np.float32)
        light = self.canvas * texture[:, :, None]
        light += noise * 0.008 * np.sqrt(np.maximum(light, 0.01))
        # sRGB by a table: its power function over every sample would take longer than all the rest.
        levels = (np.clip(light, 0, 1) * (len(_SRGB) - 1)).astype(np.uint16)
        return np.take(_SRGB, levels)


def _mix(first: _Colour, second: _Colour, share: float) -> _Colour:
    a, b = np.array(first), np.array(second)
    red, green, blue = a + share * (b - a)
    return float(red), float(green), float(blue)


def _scale(colour: _Colour, factor: float) -> _Colour:
    return _mix((0, 0, 0), colour, factor)


def _pale(rng: np.random.Generator, low: float, high: float) -> _Colour:
    """A wall paint: near grey, a little warm or cool."""
    level, tint = rng.uniform(low, high), rng.uniform(-0.06, 0.06)
    return level * (1 + tint), level, level * (1 - tint)


def _vivid(rng: np.random.Generator) -> _Colour:
    """A fabric or a print: coloured, but hardly ever pure."""
    red, green, blue = rng.uniform(0.02, 0.5, 3)
    return _mix((red, green, blue), (0.2, 0.2, 0.2), rng.uniform(0.2, 0.8))
