import numpy as np

from assent.kit.watermark.evidence import nats


def test_the_bound_holds_for_fair_coins() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.exponential(size=60)
    coins = rng.choice([-1.0, 1.0], size=(100_000, 60))
    proof = nats(sizes, coins @ sizes)
    for claim in (1.0, 3.0, 6.0):
        assert float(np.mean(proof >= claim)) <= np.exp(-claim)


def test_agreement_all_over_proves_a_factor_of_two_for_each_component() -> None:
    sizes = np.ones(300)
    proof = float(nats(sizes, np.array([300.0]))[0])
    assert 0.97 * 300 * np.log(2) < proof <= 300 * np.log(2)


def test_contradiction_and_nothing_prove_nothing() -> None:
    assert nats(np.ones(50), np.array([-20.0, 0.0])).tolist() == [0.0, 0.0]
    assert nats(np.zeros(50), np.array([0.0])).tolist() == [0.0]


def test_scale_does_not_matter() -> None:
    sizes = np.random.default_rng(1).exponential(size=80)
    agreement = np.array([40.0])
    assert np.allclose(nats(sizes, agreement), nats(1e6 * sizes, 1e6 * agreement))
