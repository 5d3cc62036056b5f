"""Downloads the files of the data set that a study reads, and no others.

The room knows S3, HTTP and the layout of the data set; it reads no array.
"""
