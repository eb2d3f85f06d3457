"""What annotators need: the labelling configuration generated from the schema."""
