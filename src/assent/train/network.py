"""The face network: one encoder that all persons share, one decoder for each.

The encoder squeezes a crop into a code that tells pose, expression and light; a decoder paints its
own person from a code. Decoding one person's code with another's decoder replaces the face. (The
idea, without a paper of its own: "deepfakes/faceswap", 2017; surveyed in Mirsky and Lee, ACM
Computing Surveys 54(1), 2021.) Nothing skips the code, or the wrong person would shine through.

A decoder paints as an active appearance model does (Cootes, Edwards and Taylor, IEEE PAMI 23(6),
2001): a texture in the person's mean shape, moved by a smooth field to where the features are. The
texture is a mean, plus a learned basis, plus what a small convolutional network corrects. Started
from the person's own crops (see `appearance`), it is sharp from the first minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Decoder", "Encoder", "FaceNetwork", "NetworkConfig", "Painted"]

_SLOPE = 0.1  # of the leaky rectifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """What shapes the network.

    Attributes:
        size: side of the crops, pixels; a multiple of 16.
        code: length of the code.
        encoder: channels after each halving of the crop (four of them).
        basis: textures that a decoder mixes.
        correction: channels at S / 16, S / 8 and S / 4 of the network that corrects the texture.
        knots: knots along each side of the field that moves the texture.
    """

    size: int = 128
    code: int = 256
    encoder: tuple[int, int, int, int] = (32, 64, 128, 192)
    basis: int = 48
    correction: tuple[int, int, int] = (128, 96, 64)
    knots: int = 17

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 16:
            raise ValueError(f"the size of crops must be a multiple of 16 from 32, not {self.size}")


@dataclass(frozen=True, slots=True)
class Painted:
    """What a decoder paints.

    Attributes:
        faces: [B, 3, S, S], logits of red, green and blue.
        masks: [B, 1, S, S], logits of where the face is.
        places: [B, 2, K, K], for each knot of the crop the place in the texture that shows there
            (x, y; -1..1 from the first to the last pixel).
    """

    faces: Tensor
    masks: Tensor
    places: Tensor


class Encoder(nn.Module):
    """Crops [B, 3, S, S] to codes [B, code] and motions [B, 2, K, K].

    The motion tells, for each knot of the crop, how many pixels further in the texture the place
    lies that shows there. It is everybody's: what moves one person's features moves another's as
    far, from where that person has them.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for wider in config.encoder:
            layers += [nn.Conv2d(channels, wider, 5, stride=2, padding=2), nn.LeakyReLU(_SLOPE)]
            channels = wider
        self.convolutions = nn.Sequential(*layers)
        self.code = nn.Linear(channels * (config.size // 16) ** 2, config.code)
        self.knots = config.knots
        self.move = nn.Linear(config.code, 2 * self.knots**2)

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Faces 0..1 to codes and motions."""
        features = self.convolutions(faces * 2 - 1)
        codes: Tensor = self.code(features.flatten(1))
        motions = self.move(functional.leaky_relu(codes, _SLOPE)).float()
        return codes, motions.unflatten(1, (2, self.knots, self.knots))


class _Residual(nn.Module):
    """x + f(x), two 3x3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.second(functional.leaky_relu(self.first(x), _SLOPE))
        return functional.leaky_relu(x + inner, _SLOPE)


class _Double(nn.Module):
    """Twice the side: a convolution whose channels become pixels (Shi et al., CVPR 2016)."""

    def __init__(self, channels: int, wanted: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, 4 * wanted, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(functional.pixel_shuffle(self.spread(x), 2), _SLOPE)


class _Correction(nn.Module):
    """Codes [B, code] to changes of the texture [B, 4, S, S], painted at half its side."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.side = config.size // 16
        first, second, third = config.correction
        self.spread = nn.Linear(config.code, first * self.side**2)
        self.convolutions = nn.Sequential(
            _Residual(first),
            _Double(first, second),
            _Residual(second),
            _Double(second, third),
            _Residual(third),
        )
        self.paint = nn.Conv2d(third, 4 * 4, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        features = self.spread(codes).unflatten(1, (-1, self.side, self.side))
        features = functional.leaky_relu(features, _SLOPE)
        half = functional.pixel_shuffle(self.paint(self.convolutions(features)), 2)
        return functional.interpolate(half, scale_factor=2.0, mode="bilinear")


class Decoder(nn.Module):
    """Codes [B, code] and motions [B, 2, K, K] to what one person looks like.

    Attributes:
        mean: [4, S, S], the mean texture (red, green, blue, mask), logits.
        basis: [basis, 3 * S * S], textures to mix.
        shape: [68, 2], where the landmarks lie in the texture, -1..1; not trained.
    """

    shape: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.size, self.knots = config.size, config.knots
        self.mean = nn.Parameter(torch.zeros(4, self.size, self.size))
        self.basis = nn.Parameter(torch.zeros(config.basis, 3 * self.size**2))
        self.register_buffer("shape", torch.zeros(68, 2))
        self.mix = nn.Linear(config.code, config.basis)
        self.correct = _Correction(config)

    def forward(self, codes: Tensor, motions: Tensor) -> Painted:
        """Codes and motions to logits and places."""
        weights = self.mix(functional.leaky_relu(codes, _SLOPE))
        mixed = (weights @ self.basis).unflatten(1, (3, self.size, self.size))
        texture = self.mean + self.correct(codes) + functional.pad(mixed, (0, 0, 0, 0, 0, 1))
        places = self._places(motions)
        grid = functional.interpolate(
            places, (self.size, self.size), mode="bilinear", align_corners=True
        )
        # Places are pixels: half precision would be too coarse for them.
        logits = functional.grid_sample(
            texture.float(),
            grid.permute(0, 2, 3, 1),
            padding_mode="border",
            align_corners=True,
        )
        return Painted(logits[:, :3], logits[:, 3:], places)

    def _places(self, motions: Tensor) -> Tensor:
        line = torch.linspace(-1, 1, self.knots, device=motions.device)
        still = torch.stack(torch.meshgrid(line, line, indexing="xy"))
        return still + motions * (2 / self.size)


class FaceNetwork(nn.Module):
    """The shared encoder and the decoders, in the order of `people`."""

    def __init__(self, config: NetworkConfig, people: Sequence[str]) -> None:
        super().__init__()
        self.config = config
        self.people = tuple(people)
        self.encoder = Encoder(config)
        self.decoders = nn.ModuleList(Decoder(config) for _ in self.people)
        self.apply(_initialise)

    def decoder(self, person: str) -> Decoder:
        """The decoder that paints `person`; KeyError for a stranger."""
        if person not in self.people:
            raise KeyError(person)
        found = self.decoders[self.people.index(person)]
        assert isinstance(found, Decoder)  # noqa: S101 # ModuleList forgets the type
        return found

    def forward(self, faces: Mapping[str, Tensor]) -> dict[str, Painted]:
        """Each person's crops through the encoder and that person's own decoder."""
        codes, motions = self.encoder(torch.cat(list(faces.values())))
        counts = [len(batch) for batch in faces.values()]
        parts = zip(faces, codes.split(counts), motions.split(counts), strict=True)
        return {person: self.decoder(person)(code, motion) for person, code, motion in parts}


def _initialise(module: nn.Module) -> None:
    """Keep the signal's power through the depth (He et al., ICCV 2015); decoders start at 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, _SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, _Residual):
        nn.init.zeros_(module.second.weight)
    elif isinstance(module, Encoder):
        nn.init.normal_(module.move.weight, std=0.01)
    elif isinstance(module, Decoder):
        nn.init.normal_(module.mix.weight, std=0.01)
        nn.init.normal_(module.correct.paint.weight, std=0.01)
