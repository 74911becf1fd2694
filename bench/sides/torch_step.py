"""One side of bench:train: the same training step in PyTorch. torch_step.py WIDTH SECONDS"""
import json
import sys
import time

import torch
import torch.nn.functional as F

WIDTH, SECONDS = int(sys.argv[1]), float(sys.argv[2])
BATCH, K, Z = 32, 10, 100
w = WIDTH
torch.manual_seed(1)


def normal(*shape):
    weight = torch.randn(*shape) * 0.02
    if len(shape) == 4:
        weight = weight.to(memory_format=torch.channels_last)
    return weight.requires_grad_()


def norm(channels):
    return [torch.ones(channels, requires_grad=True), torch.zeros(channels, requires_grad=True)]


G = {
    "deconv1": [normal(Z + K, 128 * w), *norm(8 * w)],
    "deconv2": [normal(8 * w, 4 * w, 4, 4), *norm(4 * w)],
    "deconv3": [normal(4 * w, 2 * w, 4, 4), *norm(2 * w)],
    "deconv4": [normal(2 * w, w, 4, 4), *norm(w)],
    "deconv5": [normal(w, w, 3, 3), *norm(w)],
    "deconv6": [normal(w, 3, 4, 4), torch.zeros(3, requires_grad=True)],
}
D = {
    "conv1": [normal(w, 3, 4, 4), torch.zeros(w, requires_grad=True)],
    "conv2": [normal(w, w, 3, 3), *norm(w)],
    "conv3": [normal(2 * w, w, 4, 4), *norm(2 * w)],
    "conv4": [normal(4 * w, 2 * w, 4, 4), *norm(4 * w)],
    "conv5": [normal(8 * w, 4 * w, 4, 4), *norm(8 * w)],
    "fc6": [normal(128 * w, K + 1), torch.zeros(K + 1, requires_grad=True)],
}


def bn(x, scale, offset):
    return F.batch_norm(x, None, None, scale, offset, training=True, eps=1e-5)


def project(z, y):
    k, s, o = G["deconv1"]
    x = (torch.cat([z, y], 1) @ k).view(BATCH, 8 * w, 4, 4).contiguous(memory_format=torch.channels_last)
    x = F.relu(bn(x, s, o))
    k, s, o = G["deconv2"]
    return F.relu(bn(F.conv_transpose2d(x, k, stride=2, padding=1), s, o))


def decode(x):
    for name, stride in [("deconv3", 2), ("deconv4", 2), ("deconv5", 1)]:
        k, s, o = G[name]
        x = F.relu(bn(F.conv_transpose2d(x, k, stride=stride, padding=1), s, o))
    k, b = G["deconv6"]
    return torch.sigmoid(F.conv_transpose2d(x, k, b, stride=2, padding=1))


def encode(x):
    k, b = D["conv1"]
    x = F.leaky_relu(F.conv2d(x, k, b, stride=2, padding=1), 0.2)
    for name, stride in [("conv2", 1), ("conv3", 2), ("conv4", 2)]:
        k, s, o = D[name]
        x = F.leaky_relu(bn(F.conv2d(x, k, stride=stride, padding=1), s, o), 0.2)
    return x


def classify(code):
    k, s, o = D["conv5"]
    x = F.leaky_relu(bn(F.conv2d(code, k, stride=2, padding=1), s, o), 0.2)
    k, b = D["fc6"]
    return x.reshape(BATCH, 128 * w) @ k + b


def flat(net):
    return [v for layer in net.values() for v in layer]


d_optimiser = torch.optim.Adam(flat(D), lr=2e-4, betas=(0.5, 0.999), eps=1e-8, fused=True)
g_optimiser = torch.optim.Adam(flat(G), lr=2e-4, betas=(0.5, 0.999), eps=1e-8, fused=True)
bce = F.binary_cross_entropy_with_logits

index = torch.arange(BATCH) % K
labels = torch.eye(K + 1)[index]
y = labels[:, :K].contiguous()
fake = torch.eye(K + 1)[torch.full((BATCH,), K)]
real = torch.rand(BATCH, 3, 64, 64).contiguous(memory_format=torch.channels_last)
z = torch.randn(BATCH, Z)


def run():
    fakes = decode(project(z, y))
    d_loss = bce(classify(encode(real)), labels) + bce(classify(encode(fakes.detach())), fake)
    d_optimiser.zero_grad(set_to_none=True)
    d_loss.backward()
    d_optimiser.step()
    for v in flat(D):
        v.requires_grad_(False)
    with torch.no_grad():
        code = encode(real)
    l2 = F.mse_loss(decode(code), real)
    g_loss = bce(classify(encode(fakes)), labels) + l2
    g_optimiser.zero_grad(set_to_none=True)
    g_loss.backward()
    g_optimiser.step()
    for v in flat(D):
        v.requires_grad_(True)
    return d_loss.item(), g_loss.item(), l2.item()


for _ in range(5):
    run()
begin, steps = time.perf_counter(), 0
while time.perf_counter() - begin < SECONDS:
    run()
    steps += 1
print(json.dumps({"picturesPerSecond": steps * BATCH / (time.perf_counter() - begin)}))
