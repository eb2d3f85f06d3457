"""One module per file format, each a reader and/or a writer of documents."""
