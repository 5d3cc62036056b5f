"""The ``fetch`` block: where the NSD is downloaded from, and whether it may be."""

from pydantic import PositiveInt

from brainstruct.settings.base import Block


class Fetch(Block):
    """How ``fetch_nsd`` gets the data.

    Attributes
    ----------
    nsd_terms_accepted : bool
        Whether you have accepted the NSD's data sharing and usage agreement.
        Everybody does so for themselves: set it in a file of your own.
    bucket : str
        S3 bucket of the data set.
    endpoint : str or None
        Address of another S3 server that holds the bucket; `None`: Amazon's.
    captions : str
        Address of COCO's archive of annotations.
    connections : int
        Files that are downloaded at a time.
    """

    nsd_terms_accepted: bool = False
    bucket: str = "natural-scenes-dataset"
    endpoint: str | None = None
    captions: str = "http://images.cocodataset.org/annotations/annotations_trainval2017.zip"
    connections: PositiveInt = 8
