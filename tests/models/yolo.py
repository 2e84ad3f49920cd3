"""A detector shaped like YOLOv8n: C2f blocks (Split, Concat), SPPF, Resize, and the box decoding that exporters write."""

import numpy as np

from builder import GraphBuilder
from layers import conv, silu

CLASSES = 80
BINS = 16


def yolo(size=320):
    """[batch, 3, size, size] -> output0 [batch, 4 + CLASSES, anchors]: boxes as centre and size in pixels, class scores.

    `scores` is the scores' part once more: beside pixels, an error in it would be lost in the output's scale.
    """
    g = GraphBuilder("yolo", 17, 8)
    image = g.input("images", "float32", ["batch", 3, size, size])

    def block(x, c_in, c_out, kernel=3, stride=1):
        return silu(g, conv(g, x, c_in, c_out, kernel, stride, he=2.2))

    def c2f(x, c_in, c_out, repeats, shortcut):
        half = c_out // 2
        parts = g.op("Split", block(x, c_in, c_out, 1), np.array([half, half], np.int64), outputs=2, axis=1)
        for _ in range(repeats):
            y = block(block(parts[-1], half, half), half, half)
            parts.append(g.op("Add", parts[-1], y) if shortcut else y)
        return block(g.op("Concat", *parts, axis=1), half * len(parts), c_out, 1)

    def sppf(x, channels):
        parts = [block(x, channels, channels // 2, 1)]
        for _ in range(3):
            parts.append(g.op("MaxPool", parts[-1], kernel_shape=[5, 5], strides=[1, 1], pads=[2, 2, 2, 2]))
        return block(g.op("Concat", *parts, axis=1), channels * 2, channels, 1)

    def upsample(x):
        return g.op("Resize", x, None, g.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest",
                    coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def join(a, b):
        return g.op("Concat", a, b, axis=1)

    x = block(block(image, 3, 16, stride=2), 16, 32, stride=2)
    x = block(c2f(x, 32, 32, 1, True), 32, 64, stride=2)
    p3 = c2f(x, 64, 64, 2, True)
    p4 = c2f(block(p3, 64, 128, stride=2), 128, 128, 2, True)
    p5 = sppf(c2f(block(p4, 128, 256, stride=2), 256, 256, 1, True), 256)
    up4 = c2f(join(upsample(p5), p4), 384, 128, 1, False)
    out3 = c2f(join(upsample(up4), p3), 192, 64, 1, False)
    out4 = c2f(join(block(out3, 64, 64, stride=2), up4), 192, 128, 1, False)
    out5 = c2f(join(block(out4, 128, 128, stride=2), p5), 384, 256, 1, False)

    heads = []
    for feature, channels in ((out3, 64), (out4, 128), (out5, 256)):
        box = conv(g, block(block(feature, channels, 64), 64, 64), 64, 4 * BINS, 1, batch_norm="none", he=1.0)
        score = conv(g, block(block(feature, channels, 80), 80, 80), 80, CLASSES, 1, batch_norm="none", he=1.0)
        shape = g.constant(np.array([0, 4 * BINS + CLASSES, -1], np.int64))
        heads.append(g.op("Reshape", join(box, score), shape))
    merged = g.op("Concat", *heads, axis=2)
    boxes, scores = g.op("Split", merged, np.array([4 * BINS, CLASSES], np.int64), outputs=2, axis=1)

    anchors, strides = anchor_points(size)
    count = anchors.shape[1]
    y = g.op("Reshape", boxes, g.constant(np.array([0, 4, BINS, count], np.int64)))
    y = g.op("Softmax", g.op("Transpose", y, perm=[0, 2, 1, 3]), axis=1)
    bins = np.arange(BINS, dtype=np.float32).reshape(1, BINS, 1, 1)
    y = g.op("Reshape", g.op("Conv", y, bins), g.constant(np.array([0, 4, count], np.int64)))
    near = g.op("Slice", y, *(g.constant(np.array([v], np.int64)) for v in (0, 2, 1)))
    far = g.op("Slice", y, *(g.constant(np.array([v], np.int64)) for v in (2, 4, 1)))
    low, high = g.op("Sub", anchors[None], near), g.op("Add", far, anchors[None])
    centre = g.op("Div", g.op("Add", low, high), np.array(2, np.float32))
    extent = g.op("Sub", high, low)
    pixels = g.op("Mul", g.op("Concat", centre, extent, axis=1), strides[None])
    scores = g.op("Sigmoid", scores)
    result = g.op("Concat", pixels, scores, axis=1)
    g.output(result, "output0", "float32", ["batch", 4 + CLASSES, count])
    g.output(scores, "scores", "float32", ["batch", CLASSES, count])
    return g


def anchor_points(size):
    """Cell centres in cells [2, anchors] and cell sizes in pixels [1, anchors] of strides 8, 16 and 32."""
    points, strides = [], []
    for stride in (8, 16, 32):
        axis = np.arange(size // stride, dtype=np.float32) + 0.5
        y, x = np.meshgrid(axis, axis, indexing="ij")
        points.append(np.stack([x.ravel(), y.ravel()]))
        strides.append(np.full((1, x.size), stride, np.float32))
    return np.concatenate(points, 1), np.concatenate(strides, 1)
