"""A cortex that is written as the NSD has one is drawn as in the filestore it comes from."""

from __future__ import annotations

import numpy as np

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.surfaces import write_average, write_depths, write_surfaces
from brainstruct.datasets.nsd.transforms import FSAVERAGE_VERTICES, read_fsaverage
from brainstruct.figures.fsaverage import N_VERTICES, nearest_vertices
from brainstruct.figures.halves import read_alignment, read_stored
from brainstruct.figures.own_cortex import own_flatmap, stored_flatmap
from nsd_study import open_nsd

HEIGHT = 128


def test_s1_is_drawn_alike_from_the_data_set_and_from_the_filestore(s1_store, tmp_path):
    folder = s1_store / "db/S1"
    pair, alignment = read_stored(folder), read_alignment(folder, "fullhead")
    layout = Layout(tmp_path / "nsd")
    mask = np.zeros(alignment.shape, bool)
    for half in pair:
        write_surfaces(layout, "subj01", half)
        write_depths(layout, "subj01", half, alignment.voxels)
        mask[tuple(np.rint(alignment.voxels(half.middle)).astype(int).T)] = True
    _, own = own_flatmap(open_nsd(layout), "subj01", "full", mask, HEIGHT)
    stored = stored_flatmap(pair, alignment, HEIGHT)
    assert np.mean(own.inside == stored.inside) > 0.995
    both = own.inside & stored.inside
    # Where the middle of what lies under each pixel is, along each axis.
    for axis in np.indices(alignment.shape):
        volume = axis.ravel(order="F").astype(float)
        at = [(one.sampler @ volume)[both[one.inside]] for one in (own, stored)]
        assert np.median(np.abs(at[0] - at[1])) < 0.25


def test_fsaverage_finds_itself_and_lies_near_in_another_brain(s1_store, fsaverage, tmp_path):
    left, right = nearest_vertices(fsaverage)
    np.testing.assert_array_equal(left[:N_VERTICES], np.arange(N_VERTICES))
    assert len(right) == FSAVERAGE_VERTICES
    assert set(right) == set(range(N_VERTICES))  # others take those of neighbours

    pair, layout = read_stored(s1_store / "db/S1"), Layout(tmp_path / "nsd")
    for half, average, index in zip(pair, fsaverage, nearest_vertices(pair), strict=True):
        write_average(layout, "subj01", half.side, index)
        read = read_fsaverage(layout, "subj01", half.side, len(half.white))
        np.testing.assert_array_equal(read, index)
        for axis in range(3):  # the same order along each axis
            there, here = average.middle[:, axis], half.middle[index[:N_VERTICES], axis]
            assert np.corrcoef(there, here)[0, 1] > 0.9
