"""One side of bench:train: the same training step in Python, as a tf.function. tf_step.py WIDTH SECONDS"""
import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import numpy as np
import tensorflow as tf

WIDTH, SECONDS = int(sys.argv[1]), float(sys.argv[2])
BATCH, K, Z, LR, BETA1, BETA2, EPSILON = 32, 10, 100, 2e-4, 0.5, 0.999, 1e-8
w = WIDTH
rng = np.random.default_rng(1)


def normal(*shape):
    return tf.Variable((rng.standard_normal(shape) * 0.02).astype("float32"))


def norm(channels):
    return [tf.Variable(tf.ones(channels)), tf.Variable(tf.zeros(channels))]


G = {
    "deconv1": [normal(Z + K, 128 * w), *norm(8 * w)],
    "deconv2": [normal(4, 4, 4 * w, 8 * w), *norm(4 * w)],
    "deconv3": [normal(4, 4, 2 * w, 4 * w), *norm(2 * w)],
    "deconv4": [normal(4, 4, w, 2 * w), *norm(w)],
    "deconv5": [normal(3, 3, w, w), *norm(w)],
    "deconv6": [normal(4, 4, 3, w), tf.Variable(tf.zeros(3))],
}
D = {
    "conv1": [normal(4, 4, 3, w), tf.Variable(tf.zeros(w))],
    "conv2": [normal(3, 3, w, w), *norm(w)],
    "conv3": [normal(4, 4, w, 2 * w), *norm(2 * w)],
    "conv4": [normal(4, 4, 2 * w, 4 * w), *norm(4 * w)],
    "conv5": [normal(4, 4, 4 * w, 8 * w), *norm(8 * w)],
    "fc6": [normal(128 * w, K + 1), tf.Variable(tf.zeros(K + 1))],
}


def bn(x, scale, offset):
    return tf.compat.v1.nn.fused_batch_norm(x, scale, offset, epsilon=1e-5, is_training=True)[0]


def deconv(x, kernel, stride):
    side = x.shape[1] * stride
    return tf.nn.conv2d_transpose(x, kernel, [BATCH, side, side, kernel.shape[2]], stride, "SAME")


def project(z, y):
    k, s, o = G["deconv1"]
    x = tf.nn.relu(bn(tf.reshape(tf.concat([z, y], 1) @ k, [BATCH, 4, 4, 8 * w]), s, o))
    k, s, o = G["deconv2"]
    return tf.nn.relu(bn(deconv(x, k, 2), s, o))


def decode(x):
    for name, stride in [("deconv3", 2), ("deconv4", 2), ("deconv5", 1)]:
        k, s, o = G[name]
        x = tf.nn.relu(bn(deconv(x, k, stride), s, o))
    k, b = G["deconv6"]
    return tf.sigmoid(deconv(x, k, 2) + b)


def encode(x):
    k, b = D["conv1"]
    x = tf.nn.leaky_relu(tf.nn.conv2d(x, k, 2, "SAME") + b, 0.2)
    for name, stride in [("conv2", 1), ("conv3", 2), ("conv4", 2)]:
        k, s, o = D[name]
        x = tf.nn.leaky_relu(bn(tf.nn.conv2d(x, k, stride, "SAME"), s, o), 0.2)
    return x


def classify(code):
    k, s, o = D["conv5"]
    x = tf.nn.leaky_relu(bn(tf.nn.conv2d(code, k, 2, "SAME"), s, o), 0.2)
    k, b = D["fc6"]
    return tf.reshape(x, [BATCH, 128 * w]) @ k + b


def bce(logits, targets):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))


def flat(net):
    return [v for layer in net.values() for v in layer]


slots = {v.ref(): (tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in flat(G) + flat(D)}


def adam(variables, gradients, t):
    rate = LR * tf.sqrt(1 - BETA2**t) / (1 - BETA1**t)
    for v, g in zip(variables, gradients):
        m, n = slots[v.ref()]
        zero = tf.constant(0.0)
        tf.raw_ops.ResourceApplyAdam(
            var=v.handle, m=m.handle, v=n.handle, beta1_power=zero, beta2_power=zero, lr=rate,
            beta1=BETA1, beta2=BETA2, epsilon=EPSILON, grad=g,
        )


@tf.function
def step(real, labels, z, y, asked, fake, t):
    with tf.GradientTape() as g_tape:
        fakes = decode(project(z, y))
        with g_tape.stop_recording():
            with tf.GradientTape() as d_tape:
                seen = tf.stop_gradient(fakes)
                d_loss = bce(classify(encode(real)), labels) + bce(classify(encode(seen)), fake)
            adam(flat(D), d_tape.gradient(d_loss, flat(D)), t)
        l2 = tf.reduce_mean(tf.math.squared_difference(decode(tf.stop_gradient(encode(real))), real))
        g_loss = bce(classify(encode(fakes)), asked) + l2
    adam(flat(G), g_tape.gradient(g_loss, flat(G)), t)
    return d_loss, g_loss, l2


index = np.arange(BATCH) % K
one_hot = np.eye(K + 1, dtype="float32")
real = tf.constant(rng.random((BATCH, 64, 64, 3), dtype="float32"))
z = tf.constant(rng.standard_normal((BATCH, Z)).astype("float32"))
args = (real, tf.constant(one_hot[index]), z, tf.constant(one_hot[index][:, :K]), tf.constant(one_hot[index]),
        tf.constant(one_hot[np.full(BATCH, K)]))
t = 0.0


def run():
    global t
    t += 1
    return [float(loss) for loss in step(*args, tf.constant(t))]


for _ in range(5):
    run()
begin, steps = time.perf_counter(), 0
while time.perf_counter() - begin < SECONDS:
    run()
    steps += 1
print(json.dumps({"picturesPerSecond": steps * BATCH / (time.perf_counter() - begin)}))
