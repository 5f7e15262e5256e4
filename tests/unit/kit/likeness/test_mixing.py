import numpy as np

from assent.kit.likeness.mixing import Mixer
from assent.kit.likeness.portrait import Portrait


def test_an_exemplars_own_pose_and_expression_choose_it(portrait: Portrait) -> None:
    mixer = Mixer(portrait)
    for number in (0, 7, 23):
        shares = mixer.choose(portrait.turns[number], portrait.offsets[number].astype(np.float64))
        for name, share in shares.items():
            assert share.argmax() == number, name
            assert np.isclose(share.sum(), 1)


def test_an_open_mouth_is_looked_up_among_open_mouths(portrait: Portrait) -> None:
    gape = np.linalg.norm(portrait.offsets[:, 14] - portrait.offsets[:, 13], axis=1)
    heights = portrait.offsets[:, 14, 1] - portrait.offsets[:, 13, 1]
    widest = int(heights.argmax())
    assert gape[widest] > 0
    shares = Mixer(portrait).choose(portrait.turns[0], portrait.offsets[widest].astype(np.float64))
    assert shares["mouth"] @ heights > heights.mean() + heights.std()


def test_one_exemplar_alone_is_itself(portrait: Portrait) -> None:
    mixer = Mixer(portrait)
    alone = np.eye(len(portrait.turns))[5]
    names = mixer.choose(portrait.turns[0], np.zeros((478, 3)))
    texture, shade = mixer.mix(dict.fromkeys(names, alone))
    assert np.abs(texture - portrait.textures[5])[portrait.layout.mask].mean() < 0.5
    assert np.allclose(shade, portrait.shades[5], atol=1e-5)


def test_two_in_equal_shares_lie_between(portrait: Portrait) -> None:
    mixer = Mixer(portrait)
    both = (np.eye(len(portrait.turns))[3] + np.eye(len(portrait.turns))[9]) / 2
    names = mixer.choose(portrait.turns[0], np.zeros((478, 3)))
    texture, _ = mixer.mix(dict.fromkeys(names, both))
    wanted = portrait.textures[[3, 9]].astype(float).mean(0)
    # Detail is given back beyond the mean, brightness is not.
    assert abs((texture - wanted)[portrait.layout.mask].mean()) < 0.5
    assert np.abs(texture - wanted)[portrait.layout.mask].mean() < 4
