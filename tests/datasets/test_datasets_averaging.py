from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from toy import ToyReader

from brainstruct.datasets import averaging
from brainstruct.datasets.averaging import average_betas, zscore
from brainstruct.datasets.nsd.ncsnr import compute_ncsnr
from brainstruct.datasets.reading import NoiseCeiling, Trials
from brainstruct.datasets.silent import silent_ncsnr
from brainstruct.errors import InputError

SESSION = 750
"""Trials of a session of the NSD, whose authors' ncsnr is compared."""


def integers(betas: np.ndarray, *invalid: int) -> Trials:
    """Stored numbers, some of which say that nothing is known."""
    return Trials(betas, 300.0, ~np.isin(betas, invalid))


def average(reader: ToyReader, **options) -> xr.Dataset:
    return average_betas(reader, "anna", reader.images(), mask="all", **options)


def of_sessions(count: int) -> pd.DataFrame:
    """The trials of a map of so many sessions, in which 300 images were shown thrice."""
    stimulus = np.concatenate([np.repeat(np.arange(300), 3), np.arange(300, SESSION * count - 600)])
    return pd.DataFrame({"session": np.arange(SESSION * count) % count, "stimulus": stimulus})


def two_sessions(n_voxels: int = 4, ncsnr: NoiseCeiling | None = None) -> ToyReader:
    """Six images, shown two to four times; number 12 twice in one session."""
    shown = [[12, 3, 12, 29, 10], [10, 3, 7, 29, 12, 7, 3]]
    random = np.random.default_rng(5)
    pieces = [Trials(random.standard_normal((len(ids), n_voxels))) for ids in shown]
    return ToyReader(shown, pieces, ncsnr)


def listed(n_images: int) -> pd.DataFrame:
    """A list of images that were all shown three times."""
    return pd.DataFrame(
        {"stimulus": np.arange(n_images), "split": "train", "test_set": "", "repetitions": 3}
    )


def test_scaling_is_per_piece_and_voxel() -> None:
    random = np.random.default_rng(0)
    betas = random.normal([[500, -20]], [[40, 900]], (750, 2)).astype(np.int16)
    betas[3, 1] = 32_767
    scaled, valid, alive = zscore(integers(betas, 32_767))
    assert alive.all()
    assert np.argwhere(~valid).tolist() == [[3, 1]]
    assert scaled[3, 1] == 0
    for voxel in range(2):
        kept = scaled[valid[:, voxel], voxel].astype(float)
        assert kept.mean() == pytest.approx(0, abs=1e-6)
        assert kept.std(ddof=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("constant", [0, 123, -7])
def test_constant_voxels_are_dead(constant: int) -> None:
    betas = np.full((750, 2), constant, dtype=np.int16)
    betas[0, 1] = 32_767
    scaled, _, alive = zscore(integers(betas, 32_767))
    assert not alive.any()
    assert not scaled.any()


@pytest.mark.parametrize(("trials", "valid", "alive"), [
    (750, 29, False), (750, 30, True), (60, 30, True), (40, 19, False), (40, 20, True),
    (3, 1, False), (3, 2, True),
])  # fmt: skip
def test_voxels_with_too_few_valid_trials_are_dead(trials: int, valid: int, alive: bool) -> None:
    """Thirty, or half of the trials where there are fewer than sixty."""
    betas = np.full((trials, 1), 32_767, dtype=np.int16)
    betas[:valid, 0] = np.arange(valid)
    assert zscore(integers(betas, 32_767))[2].tolist() == [alive]


def test_test_images_without_a_valid_trial_have_no_part_in_r() -> None:
    """Of another mean than the session's, as few images have."""
    shown = [list(range(20)) * 2]
    random = np.random.default_rng(6)
    signal = random.standard_normal((20, 3)) + (np.arange(20) < 10)[:, None]
    betas = np.tile(signal, (2, 1))
    betas[[4, 24], 1] = np.nan
    betas[[14, 34], 2] = np.nan
    found = average(ToyReader(shown, [Trials(betas)]))
    assert found.attrs["n_imputed"] == 2
    tested = found.isel(stimulus=np.flatnonzero(found["split"] == "test"))["betas"].to_numpy()
    assert tested.shape == (10, 3)
    others = np.arange(10) != 4
    assert tested[4, 1] == pytest.approx(tested[others, 1].mean(), abs=1e-6)
    prediction = random.standard_normal(10)
    centred = tested[:, 1] - tested[:, 1].mean()
    rest = tested[others, 1] - tested[others, 1].mean()
    assert centred @ prediction == pytest.approx(rest @ prediction[others], rel=1e-5)
    # Of a training image it is the session's mean.
    assert float(found["betas"].sel(stimulus=14)[2]) == 0


@pytest.mark.filterwarnings("error")
def test_voxels_without_a_valid_trial_are_no_reason_to_warn() -> None:
    betas = np.array([[1, np.nan], [2, np.nan], [4, np.nan]], np.float32)
    scaled, valid, alive = zscore(Trials(betas))
    assert (scaled[:, 1].tolist(), valid[:, 1].any()) == ([0, 0, 0], False)
    assert alive.tolist() == [True, False]


def test_what_is_not_finite_is_missing_where_nothing_else_is_said() -> None:
    betas = np.random.default_rng(1).standard_normal((20, 2))
    without = betas[1:, 0].copy()
    betas[0, 0] = np.nan
    scaled, valid, _ = zscore(Trials(betas))
    assert np.argwhere(~valid).tolist() == [[0, 0]]
    expected = (without - without.mean()) / without.std(ddof=1)
    np.testing.assert_allclose(scaled[1:, 0], expected, rtol=1e-5)


def test_repetitions_are_averaged_within_and_across_pieces() -> None:
    reader = two_sessions()
    scaled = np.concatenate([zscore(piece)[0] for piece in reader.pieces])
    found = average(reader)
    for stimulus in found["stimulus"].to_numpy():
        expected = scaled[reader.seen == stimulus].mean(axis=0)
        np.testing.assert_allclose(found["betas"].sel(stimulus=stimulus), expected, atol=1e-6)
    assert found["repetitions"].sel(stimulus=12) == 3
    assert found.attrs["sessions"] == 2


def test_images_say_of_which_test_set_they_are() -> None:
    found = average(two_sessions())
    assert found["stimulus"].to_numpy().tolist() == [3, 7, 10, 12, 29]
    assert found["test_set"].to_numpy().tolist() == ["both", "both", "", "", ""]
    assert found["split"].to_numpy().tolist() == ["test", "test", "train", "train", "train"]


def test_columns_at_a_time_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = average(two_sessions(11))
    monkeypatch.setattr(averaging, "VOXELS_AT_ONCE", 3)
    xr.testing.assert_identical(average(two_sessions(11)), whole)


def test_progress_counts_trials() -> None:
    calls: list[tuple[int, int]] = []
    average(two_sessions(), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(5, 12), (12, 12)]


def test_dead_voxels_are_dropped_with_their_places_and_noise() -> None:
    reader = two_sessions(ncsnr=NoiseCeiling(np.arange(4, dtype=np.float32), of_sessions(7), 3))
    reader.pieces[1].betas[:, 2] = 1.0
    found = average(reader)
    assert found["depth"].to_numpy().tolist() == [0, 1, 3]
    assert found["ncsnr"].to_numpy().tolist() == [0, 1, 3]
    assert (found.attrs["n_dead_voxels"], found.attrs["n_voxels"]) == (1, 3)
    assert (found.attrs["ncsnr_sessions"], found.attrs["ncsnr_repetitions"]) == (7, 3)
    assert found.attrs["ncsnr_silent"] == silent_ncsnr(of_sessions(7), 3)


def test_noise_is_estimated_from_repetitions_as_the_authors_of_the_nsd_do() -> None:
    random = np.random.default_rng(2)
    shown = random.permutation(np.repeat(np.arange(500), 3))
    signal = random.standard_normal((500, 6)) * [0.1, 0.5, 1, 1, 2, 0]
    betas = signal[shown] + random.standard_normal((shown.size, 6))
    pieces = [Trials(betas[:SESSION]), Trials(betas[SESSION:])]
    reader = ToyReader([shown[:SESSION], shown[SESSION:]], pieces)
    found = average_betas(reader, "anna", listed(500), mask="all")
    expected = compute_ncsnr(betas, shown)
    assert expected.max() > 1.5
    np.testing.assert_allclose(found["ncsnr"], expected, atol=2e-4)
    assert (found.attrs["ncsnr_sessions"], found.attrs["ncsnr_repetitions"]) == (2, 3)


def test_noise_is_unknown_where_nothing_was_repeated() -> None:
    betas = np.random.default_rng(3).standard_normal((4, 2))
    found = average(ToyReader([[10, 11, 3, 12]], [Trials(betas)]))
    assert np.isnan(found["ncsnr"]).all()
    assert np.isnan(found.attrs["ncsnr_silent"])


def test_silent_voxels_of_all_of_the_nsd_reach_a_sixth() -> None:
    """10,000 images thrice in 30,000 trials: 1.645 sqrt(1 / 10,000 - 2 / 30,000)."""
    session = np.tile(np.arange(40), 750)  # every repetition in another session
    trials = pd.DataFrame({"session": session, "stimulus": np.repeat(np.arange(10_000), 3)})
    d = 1.6449 * np.sqrt(1 / 30_000)
    assert silent_ncsnr(trials, 3) ** 2 == pytest.approx(
        (d + 1 / 750) / (1 - d - 1 / 750), rel=1e-4
    )
    assert silent_ncsnr(trials, 3) == silent_ncsnr(trials)
    together = trials.assign(session=np.repeat(np.arange(40), 750))
    assert silent_ncsnr(together, 3) ** 2 == pytest.approx(d / (1 - d), rel=1e-4)
    assert silent_ncsnr(together.assign(session=0), 3) == silent_ncsnr(together, 3)
    assert np.isnan(silent_ncsnr(trials, 2))


def test_images_shown_more_often_say_more() -> None:
    four = pd.DataFrame({"session": 0, "stimulus": np.repeat(np.arange(300), 4)})
    two = pd.DataFrame({"session": 0, "stimulus": np.repeat(np.arange(300), 2)})
    d = 1.6449 * np.sqrt(2 / 300 / 3 - 2 / 1200)
    assert silent_ncsnr(four) ** 2 == pytest.approx(d / (1 - d), rel=1e-4)
    d = 1.6449 * np.sqrt(2 / 300 - 2 / 600)
    assert silent_ncsnr(two) ** 2 == pytest.approx(d / (1 - d), rel=1e-4)


@pytest.mark.parametrize(("cut", "said"), [(-1, "11"), (1, "more than 12")])
def test_betas_of_other_trials_are_refused(cut: int, said: str) -> None:
    reader = two_sessions()
    last = reader.pieces[1].betas
    betas = last[:cut] if cut < 0 else np.concatenate([last, last[:cut]])
    reader.pieces[1] = Trials(betas)
    with pytest.raises(InputError, match=f"betas of anna: are of {said} trials, .* has 12"):
        average(reader)


def test_a_list_of_other_images_is_refused() -> None:
    reader = two_sessions()
    images = reader.images()
    for wrong in (images.iloc[1:], images.assign(repetitions=images["repetitions"] + 1)):
        with pytest.raises(InputError, match="list of images of anna: does not fit the 12 trials"):
            average_betas(reader, "anna", wrong.reset_index(drop=True), mask="all")


def test_a_mask_without_a_living_voxel_is_refused() -> None:
    reader = ToyReader([[10, 11]], [Trials(np.ones((2, 3)))])
    with pytest.raises(InputError, match="all 3 voxels of the mask all are constant"):
        average(reader)


class ManySessions(ToyReader):
    """Sessions that are drawn when they are asked for, each image thrice."""

    n_images, n_voxels = 2250, 1500

    def __init__(self) -> None:
        shown = np.tile(np.arange(self.n_images), 3).reshape(-1, SESSION)
        known = NoiseCeiling(np.ones(self.n_voxels, np.float32), of_sessions(9), 3)
        super().__init__(list(shown), ncsnr=known)

    def betas(self, subject: str, mask: str) -> Iterator[Trials]:
        for number in range(len(self.shown)):
            random = np.random.default_rng(number)
            betas = random.integers(-900, 900, (SESSION, self.n_voxels), np.int16)
            betas[:, 0] = 0  # A dead voxel forces the copy.
            yield integers(betas, 900)

    def places(self, subject: str, mask: str) -> xr.Dataset:
        return xr.Dataset(coords={"voxel": np.arange(self.n_voxels)})


def test_memory_is_nine_bytes_per_image_and_voxel(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ManySessions()
    monkeypatch.setattr(averaging, "VOXELS_AT_ONCE", 64)
    tracemalloc.start()
    try:
        average_betas(reader, "anna", listed(reader.n_images), mask="all")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    one_session = SESSION * reader.n_voxels * 2
    shuffled = averaging.SHUFFLES * averaging.CHECKED
    assert peak < 9 * reader.n_images * (reader.n_voxels + shuffled) + 5 * one_session
