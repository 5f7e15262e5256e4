"""Shapes, strangers, and a start that is the person's mean face."""

import pytest
import torch

from assent.train.network import FaceNetwork, NetworkConfig


def network() -> FaceNetwork:
    config = NetworkConfig(
        size=48, code=8, encoder=(4, 4, 8, 8), basis=3, correction=(8, 8, 4), knots=5
    )
    return FaceNetwork(config, ["ada", "ben"])


def test_each_person_is_painted_from_their_own_crops() -> None:
    painted = network()({"ada": torch.rand(2, 3, 48, 48), "ben": torch.rand(3, 3, 48, 48)})
    assert painted["ada"].faces.shape == (2, 3, 48, 48)
    assert painted["ben"].masks.shape == (3, 1, 48, 48)
    assert painted["ben"].places.shape == (3, 2, 5, 5)


def test_a_face_depends_on_its_own_crop_alone() -> None:
    model = network()
    one, other = torch.rand(1, 3, 48, 48), torch.rand(2, 3, 48, 48)
    alone = model({"ben": one})["ben"].faces
    together = model({"ada": other, "ben": one})["ben"].faces
    assert torch.allclose(alone, together, atol=1e-5)


def test_at_first_it_paints_about_the_mean() -> None:
    model = network()
    decoder = model.decoder("ben")
    ramp = torch.linspace(-2, 2, 48).expand(4, 48, 48)
    decoder.mean.data.copy_(ramp)
    painted = model({"ben": torch.rand(2, 3, 48, 48)})["ben"]
    assert (painted.faces - ramp[:3]).abs().mean() < 0.3


def test_motion_moves_the_texture() -> None:
    decoder = network().decoder("ada")
    decoder.mean.data[:, :, 24:] = 5
    codes, still = torch.zeros(1, 8), torch.zeros(1, 2, 5, 5)
    moved = still.clone()
    moved[:, 0] = 10
    before = (decoder(codes, still).faces[0, 0, 24] > 2.5).sum()
    after = (decoder(codes, moved).faces[0, 0, 24] > 2.5).sum()
    assert int(after - before) == 10


def test_strangers_are_unknown() -> None:
    with pytest.raises(KeyError):
        network().decoder("cleo")


@pytest.mark.parametrize("size", [16, 100])
def test_odd_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        NetworkConfig(size=size)
