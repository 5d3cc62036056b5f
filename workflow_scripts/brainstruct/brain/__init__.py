"""What all rooms say of voxels: where they lie, their regions' names, their reliability."""
